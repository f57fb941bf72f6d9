import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../lib/platform/http/endpoint.ts';
import { grantedCalls } from '../permissions/granted-calls.ts';
import { deployedFunctions, load } from './deployment.ts';

interface Bundle {
  /** Text by path in the archive. */
  readonly files: ReadonlyMap<string, string>;
  /** Sources that load at the start. */
  readonly early: readonly string[];
  /** Sources that load on demand. */
  readonly later: readonly string[];
}

const { bundleFunctions } = createRequire(import.meta.url)(
  '../../infrastructure/bundle-functions.cjs',
) as {
  bundleFunctions: (
    root: string,
    entries: readonly string[],
  ) => Promise<ReadonlyMap<string, Bundle>>;
};

const ROOT = join(import.meta.dirname, '../..');
const FUNCTIONS = [...deployedFunctions()];
const bundleAll = () => bundleFunctions(ROOT, FUNCTIONS.map(([, file]) => file).sort());

let bundles: ReadonlyMap<string, Bundle>;
let folder: string;

beforeAll(async () => {
  bundles = await bundleAll();
  folder = await mkdtemp(join(tmpdir(), 'ordersaga-bundles-'));
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

function bundleOf(file: string): Bundle {
  const bundle = bundles.get(file);
  if (bundle === undefined) throw new Error(`${file} is not bundled.`);
  return bundle;
}

/** Names of the npm packages among these sources. */
function packagesIn(sources: readonly string[]): Set<string> {
  return new Set(
    sources.flatMap(
      (source) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.slice(1, 2) ?? [],
    ),
  );
}

const CLIENTS = {
  dynamodb: '@aws-sdk/client-dynamodb',
  states: '@aws-sdk/client-sfn',
  sqs: '@aws-sdk/client-sqs',
  ssm: '@aws-sdk/client-ssm',
} as const;

describe.each(FUNCTIONS)('the bundle of %s', (functionKey, file) => {
  test('has the client of each service that its role grants calls of, and no other', () => {
    const { early, later } = bundleOf(file);
    const packages = packagesIn([...early, ...later]);
    const granted = new Set(
      [...(grantedCalls().get(functionKey) ?? [])].map((call) => call.split(':')[0]),
    );
    for (const [service, client] of Object.entries(CLIENTS)) {
      expect(packages.has(client), client).toBe(granted.has(service));
    }
  });

  test('loads the clients of queues and parameters on demand only', () => {
    const early = packagesIn(bundleOf(file).early);
    expect(early).not.toContain(CLIENTS.sqs);
    expect(early).not.toContain(CLIENTS.ssm);
  });

  test('has the code of tokens and idempotency if its route needs it', async () => {
    const { handler } = (await load(file)) as { handler: { endpoint?: Endpoint } };
    const { early, later } = bundleOf(file);
    const packages = packagesIn([...early, ...later]);
    const callers = handler.endpoint?.access.callers ?? 'public';
    expect(packages.has('jose')).toBe(callers.startsWith('user'));
    expect(packages.has('@aws-lambda-powertools/idempotency')).toBe(
      handler.endpoint?.idempotency !== undefined,
    );
  });

  test('has no tracing library', () => {
    const { early, later } = bundleOf(file);
    expect(
      [...packagesIn([...early, ...later])].filter((name) => /xray|tracer/.test(name)),
    ).toEqual([]);
  });
});

test.each(['health', 'notFound', 'openapi', 'docs', 'preflight'])(
  '%s has neither configuration nor schemas nor the AWS SDK',
  (functionKey) => {
    const { early, later } = bundleOf(deployedFunctions().get(functionKey) ?? '');
    expect(later).toEqual([]);
    expect(early).not.toContain('lib/platform/config.ts');
    // By hand: the logger with its shared helpers.
    expect([...packagesIn(early)].sort()).toEqual([
      '@aws-lambda-powertools/commons',
      '@aws-lambda-powertools/logger',
      '@aws/lambda-invoke-store',
    ]);
  },
);

test('the same sources make the same bundles', async () => {
  const again = await bundleAll();
  for (const [file, { files }] of bundles) expect(again.get(file)?.files).toEqual(files);
}, 60_000);

/** Writes a bundle to a folder outside the project and runs a script beside it. */
async function runBeside(file: string, script: string): Promise<unknown> {
  const at = join(folder, file.replaceAll('/', '-'));
  for (const [path, text] of bundleOf(file).files) {
    await mkdir(dirname(join(at, path)), { recursive: true });
    await writeFile(join(at, path), text);
  }
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
    cwd: at,
    env: { AWS_REGION: 'eu-central-1', POWERTOOLS_LOG_LEVEL: 'SILENT' },
  });
  // The lines before the last are metrics.
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

test('health answers without any configuration', async () => {
  const event = { path: '/health', headers: { 'X-Correlation-Id': 'c-1' } };
  const script = `require('./functions/health.js').handler(${JSON.stringify(event)}, {})
    .then((answer) => console.log(JSON.stringify(answer)));`;
  expect(await runBeside('functions/health.ts', script)).toEqual({
    statusCode: 200,
    headers: {
      'Cache-Control': 'no-store',
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      'X-Correlation-Id': 'c-1',
    },
    body: '{"status":"ok"}',
  });
});

test('a stack trace leads to the line of our own file that threw', async () => {
  const run = { orderId: 'o-1', run: 1, correlationId: 'c-1' };
  const attempt = { enteredAt: '2026-03-01T12:00:00.000Z', retryCount: 0, taskToken: 't' };
  const input = JSON.stringify({ ...run, ...attempt });
  // Without an environment, the configuration is invalid.
  const script = `require('./functions/saga/reserve-stock.js').handler(${input}, {})
    .catch(({ stack }) => console.log(JSON.stringify(stack.split('\\n'))));`;
  const lines = await runBeside('functions/saga/reserve-stock.ts', script);
  expect(lines).toContainEqual(
    expect.stringMatching(/^ {4}at .*\/lib\/platform\/config\.ts:\d+:\d+\)?$/),
  );
  expect(lines).toContainEqual(
    expect.stringMatching(/^ {4}at .*\/functions\/saga\/reserve-stock\.ts:\d+:\d+\)?$/),
  );
});

test('a module that is loaded on demand shares those that are loaded already', async () => {
  // The client loads and asks SSM for the secret; its failure arrives as an error of the project.
  const required = {
    ...Object.fromEntries(
      ['ORDERS', 'INVENTORY', 'IDEMPOTENCY'].map((name) => [`${name}_TABLE`, 'table']),
    ),
    ...Object.fromEntries(
      [
        'COMPENSATION_QUEUE',
        'ACKNOWLEDGEMENT_QUEUE',
        'SAGA_DEAD_LETTER_QUEUE',
        'COMPENSATION_DEAD_LETTER_QUEUE',
        'ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE',
        'JWKS',
        'GATEWAY',
        'INVENTORY',
      ].map((name) => [`${name}_URL`, 'http://127.0.0.1:9']),
    ),
    ORDER_SAGA_ARN: 'arn',
    JWT_ISSUER: 'http://127.0.0.1:9',
    JWT_AUDIENCE: 'test',
    INVENTORY_CREDENTIAL_PARAMETER: '/credential',
    WEBHOOK_SECRETS_PARAMETER: '/secrets',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_MAX_ATTEMPTS: '1',
  };
  const event = {
    rawPath: '/inventory/reservation/o-1',
    headers: { 'x-service-credential': 'credential-0123456789' },
    requestContext: { http: { method: 'GET' } },
  };
  const script = `Object.assign(process.env, ${JSON.stringify(required)});
    require('./functions/inventory/reservations.js').handler(${JSON.stringify(event)}, {})
    .then(({ statusCode, body }) => console.log(JSON.stringify([statusCode, JSON.parse(body).code])));`;
  expect(await runBeside('functions/inventory/reservations.ts', script)).toEqual([
    503,
    'TEMPORARILY_UNAVAILABLE',
  ]);
});

test('what is imported on demand is loaded when it is asked for, and not before', async () => {
  const project = join(folder, 'project');
  const sources = {
    'functions/first.ts':
      "import { shared } from '../lib/shared.ts';\nexport const handler = async () => [shared, (await import('../lib/later.ts')).value, (await import('../lib/later.ts')).value];",
    'functions/second.ts':
      "import { shared } from '../lib/shared.ts';\nexport const handler = () => shared;",
    'lib/shared.ts': "export const shared = 'shared';",
    'lib/later.ts':
      "import { shared } from './shared.ts';\nconsole.log('loaded');\nexport const value = `later ${shared}`;",
  };
  for (const [path, text] of Object.entries(sources)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
  const entries = ['functions/first.ts', 'functions/second.ts'];
  const { files = new Map<string, string>() } =
    (await bundleFunctions(project, entries)).get('functions/first.ts') ?? {};
  const unpacked = join(folder, 'unpacked');
  for (const [path, text] of files) {
    await mkdir(dirname(join(unpacked, path)), { recursive: true });
    await writeFile(join(unpacked, path), text);
  }
  const call = `const { handler } = require('./functions/first.js');
    console.log('started');
    handler().then((answer) => console.log(answer.join()));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', call], { cwd: unpacked });
  expect(stdout.trim().split('\n')).toEqual([
    'started',
    'loaded',
    'shared,later shared,later shared',
  ]);
});

test('no function leaves an import to Node that its archive does not hold', () => {
  for (const [file, { files }] of bundles) {
    const native = [...files.values()].flatMap((text) => text.match(/\bimport\s*\(/g) ?? []);
    expect(native, file).toEqual([]);
  }
});
