import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployedFunctions, functionOfTask, readOrderSaga } from '../contract/deployment.ts';
import {
  functionWithCompanion,
  loadAll,
  type Package,
  packageStage,
  sourcesOf,
  textsIn,
  wordsIn,
} from '../support/packaging.ts';

/** What only the companion has reason to say. */
const WORDS_OF_THE_COMPANION = [
  '/gateway/charges/:paymentId',
  '/issuer/token',
  '/faults/inventory',
  '/proxy/inventory',
  'lost_response',
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
  // One after the other: the CLI builds in one place.
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
  test('holds every function, and of the project only functions/ and lib/', async () => {
    const { code } = packageOf(stage);
    expect([...code.keys()].sort()).toEqual([...deployedFunctions().keys()].sort());
    for (const [name, archive] of code) {
      const sources = await sourcesOf(archive);
      expect(sources, name).toContain(deployedFunctions().get(name));
      const foreign = [...Object.keys(archive.files), ...sources].filter(
        (path) => !/^(?:functions|lib)\//.test(path),
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
    const roles = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');
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
