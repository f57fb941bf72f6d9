import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultMode } from '../../local/companion/faults/fault-modes.ts';
import { startApiGateway } from '../../local/stack/api-gateway.ts';
import type { HttpServer } from '../../local/stack/http-server.ts';
import { readServiceDefinition } from '../../local/stack/service-definition.ts';
import {
  deployedFunctions,
  functionOfTask,
  preflightPaths,
  readOrderSaga,
} from '../contract/deployment.ts';
import { gatewayResponsesIn, methodsIn, OF_THE_TRANSPORT } from '../support/packaged-api.ts';
import {
  ALLOWED_ORIGINS,
  functionWithCompanion,
  loadAll,
  type Package,
  packageStage,
  sourcesOf,
  textsIn,
  wordsIn,
} from '../support/packaging.ts';

/**
 * Deployed sources: the functions, lib/, the saga's table, from which lib/ computes its deadlines, and the rendered
 * texts of the API's document with the two endpoints that answer them.
 */
const DEPLOYED = [
  /^(?:functions|lib)\//,
  /^statemachines\/(?:constants|durations|order-saga|retry-policies)\.ts$/,
  /^api-document\/(?:rendered-\w+|own-endpoints)\.ts$/,
];

/** Words that only the companion contains. */
const WORDS_OF_THE_COMPANION = [
  '/gateway/charges/:paymentId',
  '/issuer/token',
  '/faults/inventory',
  '/proxy/inventory',
  'lost_response' satisfies FaultMode,
  'tok_ack_lost',
  'tok_ack_late',
  'tok_ack_twice',
  'tok_never_captured',
  'tok_gateway_down',
  'tok_flaky',
];

const STAGES = ['local', 'prod'];

let folder: string;
const packages = new Map<string, Package>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ordersaga-package-'));
  // One stage after the other, because the CLI builds in one place.
  for (const stage of STAGES) {
    packages.set(stage, await packageStage(stage, join(folder, stage)));
  }
}, 600_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function packageOf(stage: string): Package {
  const found = packages.get(stage);
  if (found === undefined) throw new Error(`${stage} is not packaged.`);
  return found;
}

describe.each(STAGES)('the package for %s', (stage) => {
  test('holds every function, and of the project only what is deployed', async () => {
    const { code } = packageOf(stage);
    expect([...code.keys()].sort()).toEqual([...deployedFunctions().keys()].sort());
    for (const [name, archive] of code) {
      const sources = await sourcesOf(archive);
      expect(sources, name).toContain(deployedFunctions().get(name));
      const foreign = [...Object.keys(archive.files), ...sources].filter(
        (path) => !DEPLOYED.some((source) => source.test(path)),
      );
      expect(foreign, name).toEqual([]);
    }
  });

  test('can be loaded by Node alone', async () => {
    const exported = await loadAll(packageOf(stage).code, join(folder, `${stage}-loaded`));
    expect(exported.size).toBe(deployedFunctions().size);
    for (const [name, names] of exported) expect(names, name).toEqual(['handler']);
  });

  test('says no word of the companion', async () => {
    for (const [name, archive] of packageOf(stage).code) {
      expect(await wordsIn(archive, WORDS_OF_THE_COMPANION), name).toEqual([]);
    }
  });

  test('gives every function a role of its own, and the state machine those it invokes', () => {
    const { Resources } = packageOf(stage).template;
    for (const functionKey of deployedFunctions().keys()) {
      const id = `${functionKey[0]?.toUpperCase() ?? ''}${functionKey.slice(1)}`;
      const role = { 'Fn::GetAtt': [`${id}Role`, 'Arn'] };
      expect(Resources[`${id}LambdaFunction`]?.Properties?.Role).toEqual(role);
      expect(Resources).toHaveProperty(`${id}Role`);
    }
    const roles = Object.entries(Resources).filter(
      ([id, { Type }]) => Type === 'AWS::IAM::Role' && id !== 'ApiLogRole',
    );
    expect(roles).toHaveLength(deployedFunctions().size + 1);
    const [, sagaRole] = roles.find(([id]) => /saga/i.test(id)) ?? [];
    const invoked = new Set(textsIn(sagaRole).filter((text) => text.endsWith('LambdaFunction')));
    const tasks = Object.values(readOrderSaga().States).map(functionOfTask);
    expect([...invoked].sort()).toEqual(
      [...new Set(tasks)]
        .filter((key) => key !== undefined)
        .map((key) => `${key[0]?.toUpperCase() ?? ''}${key.slice(1)}LambdaFunction`)
        .sort(),
    );
  });

  test('leads every function but Inventory itself to its URL, which asks for a signature', () => {
    const { Resources } = packageOf(stage).template;
    const ofType = (type: string) =>
      Object.entries(Resources).filter(([, { Type }]) => Type === type);
    const [[urlId, url] = [], ...others] = ofType('AWS::Lambda::Url');
    expect(others).toEqual([]);
    expect(url?.Properties).toEqual({
      AuthType: 'AWS_IAM',
      TargetFunctionArn: { 'Fn::GetAtt': ['ReservationsLambdaFunction', 'Arn'] },
    });
    for (const [id, { Properties }] of ofType('AWS::Lambda::Function')) {
      const { Variables } = (Properties as { Environment: { Variables: object } }).Environment;
      const isItself = id === 'ReservationsLambdaFunction';
      const expected = isItself
        ? 'https://inventory.invalid'
        : { 'Fn::GetAtt': [urlId, 'FunctionUrl'] };
      expect(Variables, id).toMatchObject({ INVENTORY_URL: expected });
    }
    // Callers have it in their roles; a permission of the function's own would let others in.
    const opened = ofType('AWS::Lambda::Permission').map(([, { Properties }]) =>
      textsIn(Properties),
    );
    expect(opened.flat()).not.toContain('ReservationsLambdaFunction');
  });

  test('has no handler outside functions/, and no resource of the companion', () => {
    const { template } = packageOf(stage);
    const handlers = Object.values(template.Resources).flatMap(({ Type, Properties }) =>
      Type === 'AWS::Lambda::Function' ? [Properties?.Handler] : [],
    );
    expect(handlers).toHaveLength(deployedFunctions().size);
    expect(handlers.filter((handler) => handler?.startsWith('functions/') !== true)).toEqual([]);
    expect(textsIn(template).filter((text) => /^(?:\.\/)?local\/|companion/i.test(text))).toEqual(
      [],
    );
  });
});

describe.each(STAGES)('the local API, held against the package for %s,', (stage) => {
  let local: HttpServer;
  let url: string;

  beforeAll(async () => {
    const service = await readServiceDefinition(join(import.meta.dirname, '../..'), {
      ALLOWED_ORIGINS,
    });
    local = await startApiGateway({
      host: '127.0.0.1',
      port: 0,
      service,
      invoke: (functionKey, { resource, headers }) =>
        'fail' in headers
          ? Promise.reject(new Error('It failed.'))
          : Promise.resolve({ statusCode: 200, headers: { 'X-Key': functionKey }, body: resource }),
    });
    url = `http://127.0.0.1:${String(local.port)}`;
  });

  afterAll(() => local.stop());

  test('has the same methods at each resource, and hands a request to the same function', async () => {
    const methods = methodsIn(packageOf(stage).template);
    const paths = [...methods.keys()];
    expect(paths).toEqual(expect.arrayContaining(['/', '/order', '/order/{orderId}', '/{proxy+}']));
    for (const path of paths) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const own = methods.get(path)?.get(method) ?? methods.get(path)?.get('ANY');
        const greedy = methods.get('/{proxy+}')?.get('ANY');
        const answer = await fetch(url + path.replaceAll(/\{\w+\+?\}/g, 'x-1'), { method });
        expect(answer.headers.get('x-key'), `${method} ${path}`).toBe(own ?? greedy);
        if (method !== 'HEAD') {
          expect(await answer.text()).toBe(own === undefined ? '/{proxy+}' : path);
        }
      }
    }
  });

  test('answers a preflight at each path that pages may call, by the same function', () => {
    const methods = methodsIn(packageOf(stage).template);
    const preflights = [...methods].filter(([, own]) => own.get('OPTIONS') === 'preflight');
    expect(preflights.map(([path]) => path).sort()).toEqual(preflightPaths().sort());
    expect([...methods].filter(([, own]) => own.has('OPTIONS'))).toHaveLength(preflights.length);
  });

  test.each([
    ['too large', 'REQUEST_TOO_LARGE', { method: 'POST', body: 'x'.repeat(11 * 1024 * 1024) }, 413],
    ['of a function that fails', 'DEFAULT_5XX', { headers: { fail: 'yes' } }, 502],
    ['an impossible path', 'DEFAULT_4XX', {}, 400],
  ] as const)('answers by itself as API Gateway does: %s', async (_what, type, sent, status) => {
    const path = type === 'DEFAULT_4XX' ? '/order/%ff' : '/order';
    const { headers, body } = gatewayResponsesIn(packageOf(stage).template).get(type) ?? {};
    const answer = await fetch(url + path, sent);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe(body?.replace('$context.path', path));
    const seen = [...answer.headers].filter(([name]) => !OF_THE_TRANSPORT.includes(name));
    expect(Object.fromEntries(seen)).toEqual({
      ...headers,
      'x-correlation-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test('adds no header to an answer of a function, whatever a browser sends', async () => {
    const answer = await fetch(`${url}/order`, {
      headers: {
        origin: 'https://evil.example.com',
        'accept-encoding': 'gzip, br',
        'if-none-match': '*',
        'access-control-request-method': 'PUT',
      },
    });
    const names = [...answer.headers.keys()].filter((name) => !OF_THE_TRANSPORT.includes(name));
    expect([answer.status, names]).toEqual([200, ['content-type', 'x-key']]);
  });
});

test.each(STAGES)('API Gateway itself answers pages of %s, without credentials', (stage) => {
  const responses = [...gatewayResponsesIn(packageOf(stage).template)];
  expect(responses.length).toBeGreaterThan(8);
  for (const [type, { headers }] of responses) {
    expect(headers, type).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-expose-headers':
        'Location, ETag, Retry-After, Idempotent-Replayed, X-Correlation-Id',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  }
});

test.each(STAGES)('the API of %s has the name that alarms and dashboard know it by', (stage) => {
  const apis = Object.values(packageOf(stage).template.Resources).filter(
    ({ Type }) => Type === 'AWS::ApiGateway::RestApi',
  );
  expect(apis.map(({ Properties }) => Properties?.Name)).toEqual([`${stage}-ordersaga`]);
});

test('only the package for local points to the companion', () => {
  const pointers = (stage: string): string[] =>
    textsIn(packageOf(stage).template).filter((text) => text.includes(':3100'));
  expect([...new Set(pointers('local'))].sort()).toEqual([
    'http://localhost:3100/issuer',
    'http://localhost:3100/issuer/jwks.json',
  ]);
  expect(pointers('prod')).toEqual([]);
});

test('the package for prod says where the secrets are, and nothing else of them', () => {
  const texts = new Set(textsIn(packageOf('prod').template));
  expect([...texts].filter((text) => /CREDENTIAL|SECRET/.test(text)).sort()).toEqual([
    'INVENTORY_CREDENTIAL_PARAMETER',
    'WEBHOOK_SECRETS_PARAMETER',
  ]);
  expect([...texts].filter((text) => text.startsWith('{{resolve:')).sort()).toEqual([
    '{{resolve:ssm:/ordersaga/prod/jwks-url}}',
    '{{resolve:ssm:/ordersaga/prod/jwt-audience}}',
    '{{resolve:ssm:/ordersaga/prod/jwt-issuer}}',
  ]);
});

test('a function that imported the companion would be found, by its sources and by every word', async () => {
  const archive = await functionWithCompanion();
  expect(await sourcesOf(archive)).toContain('local/companion/server.ts');
  expect(await wordsIn(archive, WORDS_OF_THE_COMPANION)).toEqual(WORDS_OF_THE_COMPANION);
});
