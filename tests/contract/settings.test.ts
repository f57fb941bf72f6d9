import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../lib/platform/config.ts';
import { SETTINGS } from '../../lib/platform/settings.ts';
import { TEMPLATE_SETTINGS } from '../../lib/platform/template-settings.ts';
import { configurationDocument } from '../../local/configuration-document.ts';
import { LOCAL_SETTINGS } from '../../local/local-settings.ts';
import { readStartSettings } from '../../local/start-settings.ts';
import { SAGA_CONSTANTS } from '../../statemachines/constants.ts';
import { REQUIRED } from '../unit/lib/platform/environment.ts';
import { deployedFunctions, parametersOfOrderSaga } from './deployment.ts';

const root = join(import.meta.dirname, '../..');
const names = Object.keys(SETTINGS);

type Values = Readonly<Record<string, unknown>>;

interface Resolved {
  readonly provider: { readonly environment: Values };
  readonly params: { readonly default: Values; readonly prod: Values };
  readonly functions: Readonly<
    Record<
      string,
      {
        readonly events: readonly { readonly schedule?: string }[];
        readonly reservedConcurrency?: number;
      }
    >
  >;
}

/** Resolves serverless.yml for the stage `prod` with only these environment variables. */
async function resolve(variables: Readonly<Record<string, string>>): Promise<Resolved> {
  const manifest = createRequire(import.meta.url).resolve('serverless/package.json');
  const cli = join(dirname(manifest), 'bin', 'serverless.js');
  const { PATH, HOME } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [cli, 'print', '--format', 'json', '--stage', 'prod'],
    { cwd: root, env: { PATH, HOME, ...variables }, maxBuffer: 16 * 1024 * 1024 },
  );
  return JSON.parse(stdout) as Resolved;
}

/** A value other than the default for every setting. */
const OTHERS: Readonly<Record<string, string>> = {
  RESERVATION_TTL_SECONDS: '901',
  MAX_HOLD_SECONDS: '86401',
  PAYMENT_ACK_TIMEOUT_SECONDS: '181',
  INVENTORY_TIMEOUT_MS: '2001',
  GATEWAY_TIMEOUT_MS: '5001',
  CIRCUIT_FAILURE_RATIO: '0.6',
  CIRCUIT_MIN_CALLS: '21',
  CIRCUIT_MIN_ORDERS: '6',
  CIRCUIT_WINDOW_SECONDS: '11',
  INVENTORY_CIRCUIT_PAUSE_SECONDS: '11',
  INVENTORY_OUTAGE_BUDGET_SECONDS: '121',
  RETRY_MAX_ATTEMPTS: '6',
  THROTTLE_MAX_ATTEMPTS: '21',
  RETRY_BASE_SECONDS: '2',
  QUEUE_MAX_RECEIVES: '9',
  DUPLICATE_WINDOW_SECONDS: '601',
  MAX_OPEN_ORDERS_PER_USER: '11',
  DEFAULT_MAX_PER_ORDER: '9999',
  MAX_WAIT_SECONDS: '9',
  MAX_LONG_WAITS: '201',
  DISPATCH_AFTER_SECONDS: '31',
  SCHEDULE_SECONDS: '120',
  GATEWAY_URL: 'https://gateway.example',
  INVENTORY_URL: 'https://inventory.example',
  PAYMENT_PAGE_URL: 'https://shop.example/{orderId}',
  JWT_ISSUER: 'https://issuer.example/',
  JWT_AUDIENCE: 'shop',
  JWKS_URL: 'https://issuer.example/keys',
  ALLOWED_ORIGINS: 'https://shop.example,http://localhost:5173',
  INVENTORY_CREDENTIAL: 'another-credential-0123456789',
  WEBHOOK_SECRETS: 'another-secret-0123456789',
};
const SECRETS = ['INVENTORY_CREDENTIAL', 'WEBHOOK_SECRETS'];
const inTemplate = names.filter((name) => !SECRETS.includes(name));

test('every setting has a value here that is not its default', () => {
  expect(Object.keys(OTHERS).sort()).toEqual([...names].sort());
});

describe('the template', () => {
  test('gives every function each setting at its default', async () => {
    const { provider, params, functions } = await resolve({
      GATEWAY_URL: 'https://gateway.example',
    });
    for (const name of inTemplate) {
      expect(Object.keys(provider.environment), name).toContain(name);
    }
    const config = readConfig(REQUIRED) as Values;
    const withDefault = Object.entries(SETTINGS).filter(([, setting]) => 'default' in setting);
    expect(withDefault.length).toBeGreaterThan(10);
    for (const [name] of withDefault) {
      expect(params.default[name], name).toBe(config[name]);
      expect(provider.environment[name], name).toBe(String(config[name]));
    }
    expect(params.default).toMatchObject(SAGA_CONSTANTS);
    expect(schedulesOf(functions)).toEqual(['rate(1 minute)', 'rate(1 minute)']);
  });

  test('takes each setting from the environment, numbers as numbers, and no secret', async () => {
    const { provider, params, functions } = await resolve(OTHERS);
    const config = readConfig({ ...REQUIRED, ...OTHERS }) as Values;
    for (const name of inTemplate) {
      expect(params.default[name], name).toBe(config[name]);
      expect(provider.environment[name], name).toBe(OTHERS[name]);
    }
    for (const secret of SECRETS) expect(provider.environment).not.toHaveProperty(secret);
    expect(schedulesOf(functions)).toEqual(['rate(2 minutes)', 'rate(2 minutes)']);
  });

  test.each([
    [{}, 'GATEWAY_URL is not set: it must be an http or https URL'],
    [{ GATEWAY_URL: 'gateway' }, 'GATEWAY_URL is "gateway": it must be an http or https URL'],
    [{ RETRY_BASE_SECONDS: '0' }, 'RETRY_BASE_SECONDS is "0": it must be a whole number'],
    [
      { SCHEDULE_SECONDS: '90' },
      'SCHEDULE_SECONDS is 90: on a deployed stage it must be a multiple',
    ],
    [
      { ALLOWED_ORIGINS: 'https://shop.example/' },
      'ALLOWED_ORIGINS is "https://shop.example/": it must be origins separated by commas',
    ],
    [{ RESERVATION_TTL_SECONDS: '86400' }, 'MAX_HOLD_SECONDS is 86400: with these time-outs'],
    [
      { INVENTORY_TIMEOUT_MS: '5000', GATEWAY_TIMEOUT_MS: '6000' },
      'lower INVENTORY_TIMEOUT_MS or GATEWAY_TIMEOUT_MS',
    ],
    [{ ALLOWED_ORIGINS: '*' }, 'ALLOWED_ORIGINS is "*": it must be origins separated by commas'],
    [{ WAF_RATE_PER_IP: '9' }, 'WAF_RATE_PER_IP is 9: AWS WAF takes 0 or at least 10'],
    [{ WEBHOOK_RESERVED_CONCURRENCY: '3' }, 'WEBHOOK_RESERVED_CONCURRENCY is 3: with fewer than'],
    [{ SAGA_LOG_LEVEL: 'LOUD' }, 'SAGA_LOG_LEVEL is "LOUD": it must be ALL or ERROR or OFF'],
  ])('is not resolved with %j: %s', async (variables, message) => {
    const gateway: Record<string, string> =
      Object.keys(variables).length === 0 ? {} : { GATEWAY_URL: 'https://gateway.example' };
    const refusal = resolve({ ...gateway, ...variables });
    await expect(refusal).rejects.toMatchObject({
      stdout: expect.stringContaining(message),
    });
  });

  test('reserves concurrency for exactly what accepted orders need, and none by default', async () => {
    const GATEWAY_URL = 'https://gateway.example';
    expect(reservedIn((await resolve({ GATEWAY_URL })).functions)).toEqual({});
    const { functions } = await resolve({
      GATEWAY_URL,
      SAGA_RESERVED_CONCURRENCY: '4',
      INVENTORY_RESERVED_CONCURRENCY: '20',
      WEBHOOK_RESERVED_CONCURRENCY: '10',
      SCHEDULE_RESERVED_CONCURRENCY: '1',
    });
    expect(reservedIn(functions)).toEqual({
      ...Object.fromEntries(SAGA_FUNCTIONS.map((name) => [name, 4])),
      retryCompensation: 4,
      reservations: 20,
      ...{ receiveAcknowledgement: 10, handleAcknowledgement: 10 },
      ...{ dispatchDueWork: 1, expireReservations: 1 },
    });
  });

  test('names every parameter that the state machine asks for in a table', () => {
    const tables = { ...SETTINGS, ...TEMPLATE_SETTINGS, ...SAGA_CONSTANTS };
    expect(Object.keys(tables)).toEqual(expect.arrayContaining(parametersOfOrderSaga()));
  });

  test('has no default of a setting of its own', () => {
    const text = readFileSync(join(root, 'serverless.yml'), 'utf8');
    const { params } = parse(text, { logLevel: 'error' }) as { params: Values };
    expect(Object.values(params)).toEqual([
      '${file(infrastructure/settings.cjs):defaults}',
      '${file(infrastructure/settings.cjs):prod}',
      '${file(infrastructure/settings.cjs):local}',
    ]);
  });
});

test('the local start passes on each setting', () => {
  expect(readStartSettings(OTHERS).environment).toEqual(OTHERS);
});

describe('docs/configuration.md', () => {
  const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8');

  test('is what `npm run docs:settings` writes', () => {
    expect(page).toBe(configurationDocument());
  });

  test('has a line for each setting', () => {
    const all = [SETTINGS, TEMPLATE_SETTINGS, LOCAL_SETTINGS].flatMap((table) =>
      Object.keys(table),
    );
    for (const name of all) expect(page).toContain(`\n| \`${name}\` | `);
  });
});

const SAGA_FUNCTIONS = [...deployedFunctions()].flatMap(([name, file]) =>
  file.startsWith('functions/saga/') ? [name] : [],
);

function reservedIn(functions: Resolved['functions']): Record<string, number> {
  return Object.fromEntries(
    Object.entries(functions).flatMap(([name, { reservedConcurrency }]) =>
      reservedConcurrency === undefined ? [] : [[name, reservedConcurrency]],
    ),
  );
}

function schedulesOf(functions: Resolved['functions']): string[] {
  return Object.values(functions).flatMap(({ events }) =>
    events.flatMap(({ schedule }) => schedule ?? []),
  );
}
