import { describe, expect, test } from 'vitest';
import { ConfigurationError, readConfig } from '../../../../lib/platform/config.ts';
import { REQUIRED } from './environment.ts';

/** Section 7 of the specification and later settings, by hand. */
const DEFAULTS = {
  RESERVATION_TTL_SECONDS: 900,
  PAYMENT_ACK_TIMEOUT_SECONDS: 180,
  INVENTORY_TIMEOUT_MS: 2000,
  INVENTORY_OUTAGE_BUDGET_SECONDS: 120,
  CIRCUIT_FAILURE_RATIO: 0.5,
  CIRCUIT_MIN_CALLS: 20,
  CIRCUIT_MIN_ORDERS: 5,
  CIRCUIT_WINDOW_SECONDS: 10,
  INVENTORY_CIRCUIT_PAUSE_SECONDS: 10,
  GATEWAY_TIMEOUT_MS: 5000,
  RETRY_MAX_ATTEMPTS: 5,
  RETRY_BASE_SECONDS: 1,
  QUEUE_MAX_RECEIVES: 8,
  DUPLICATE_WINDOW_SECONDS: 600,
  MAX_OPEN_ORDERS_PER_USER: 10,
  DEFAULT_MAX_PER_ORDER: 10_000,
  DISPATCH_AFTER_SECONDS: 30,
  SCHEDULE_SECONDS: 60,
  PAYMENT_PAGE_URL: 'http://localhost:3000/pay/{orderId}',
  ALLOWED_ORIGINS: '',
} as const;

const NUMBERS = Object.entries(DEFAULTS)
  .filter(([, value]) => typeof value === 'number')
  .map(([name]) => name);

function messageFor(environment: Readonly<Record<string, string | undefined>>): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  throw new Error('It was accepted.');
}

describe('the configuration', () => {
  test('has the defaults of the specification', () => {
    expect(readConfig(REQUIRED)).toMatchObject({
      ...REQUIRED,
      ...DEFAULTS,
      INVENTORY_CREDENTIAL: ['service-credential-0123456789'],
      WEBHOOK_SECRETS: ['webhook-secret-0123456789'],
    });
  });

  test.each([
    'https://shop.example.com',
    'https://shop.example.com,http://localhost:5173',
    'https://shop.example.com, https://admin.example.com',
    'http://[::1]:3000',
  ])('takes %j as ALLOWED_ORIGINS', (origins) => {
    const { ALLOWED_ORIGINS } = readConfig({ ...REQUIRED, ALLOWED_ORIGINS: origins });
    expect(ALLOWED_ORIGINS).toBe(origins);
  });

  test.each([
    '*',
    'null',
    'shop.example.com',
    'https://',
    'https://shop.example.com/',
    'https://shop.example.com/shop',
    'https://shop.example.com:443',
    'https://Shop.example.com',
    'https://*.example.com',
    'https://user@shop.example.com',
    'file://shop',
    'https://shop.example.com,',
    ',',
    ' ',
    'https://shop.example.com;https://admin.example.com',
  ])('refuses %j as ALLOWED_ORIGINS', (origins) => {
    expect(messageFor({ ...REQUIRED, ALLOWED_ORIGINS: origins })).toBe(
      `Bad configuration. ALLOWED_ORIGINS is ${JSON.stringify(origins)}: it must be origins ` +
        'separated by commas, each a scheme and a host such as https://shop.example.com.',
    );
  });

  const SECRETS = ['INVENTORY_CREDENTIAL', 'WEBHOOK_SECRETS'] as const;
  const plain = Object.keys(REQUIRED).filter((name) => !SECRETS.some((secret) => secret === name));
  test.each(plain)('names %s where it is not set', (name) => {
    expect(messageFor({ ...REQUIRED, [name]: undefined })).toBe(
      `Bad configuration. ${name} is not set.`,
    );
  });

  test.each(SECRETS)('takes %s itself, or the name of the parameter that holds it', (name) => {
    expect(messageFor({ ...REQUIRED, [name]: undefined })).toBe(
      `Bad configuration. ${name} is not set, and neither is ${name}_PARAMETER.`,
    );
    const named = { ...REQUIRED, [name]: undefined, [`${name}_PARAMETER`]: '/ordersaga/x' };
    expect(readConfig(named)[`${name}_PARAMETER`]).toBe('/ordersaga/x');
    expect(readConfig(named)[name]).toBeUndefined();
  });

  test('names everything that is missing at once', () => {
    const message = messageFor({});
    for (const name of Object.keys(REQUIRED)) expect(message).toContain(`${name} is not set`);
  });

  const badNumbers = ['soon', '-1', '1.5', '', ' ', '1e999', '99999999999', 'NaN', '0x10'];
  test.each(NUMBERS.flatMap((name) => badNumbers.map((value) => [name, value] as const)))(
    'stops at %s=%j and names it',
    (name, value) => {
      const message = messageFor({ ...REQUIRED, [name]: value });
      expect(message).toContain(`${name} is ${JSON.stringify(value)}`);
      expect(message).not.toMatch(/\bORDERS_TABLE\b/);
    },
  );

  test.each([
    ['GATEWAY_URL', 'localhost:3100'],
    ['INVENTORY_URL', 'ftp://inventory'],
    ['JWKS_URL', 'nonsense'],
    ['JWT_ISSUER', ''],
    ['ORDERS_TABLE', ''],
    ['PAYMENT_PAGE_URL', 'http://localhost:3000/pay'],
    ['COMPENSATION_QUEUE_URL', 'compensation'],
  ])('stops at %s=%j and names it', (name, value) => {
    expect(messageFor({ ...REQUIRED, [name]: value })).toContain(
      `${name} is ${JSON.stringify(value)}`,
    );
  });

  test.each([
    ['RESERVATION_TTL_SECONDS', '0', 'a whole number of seconds from 1 to 86400'],
    ['INVENTORY_TIMEOUT_MS', '5001', 'a whole number of milliseconds from 50 to 5000'],
    ['INVENTORY_OUTAGE_BUDGET_SECONDS', '14401', 'a whole number of seconds from 0 to 14400'],
    ['RETRY_MAX_ATTEMPTS', '21', 'a whole number from 1 to 20'],
    ['GATEWAY_URL', 'ftp://gateway', 'an http or https URL'],
    ['PAYMENT_PAGE_URL', 'https://shop', 'an http or https URL that contains {orderId}'],
    ['JWT_AUDIENCE', '', 'a text that is not empty'],
  ])('says the range of %s when it is %j', (name, value, range) => {
    expect(messageFor({ ...REQUIRED, [name]: value })).toBe(
      `Bad configuration. ${name} is ${JSON.stringify(value)}: it must be ${range}.`,
    );
  });

  test('never prints the secret, not even a bad one', () => {
    const message = messageFor({ ...REQUIRED, INVENTORY_CREDENTIAL: 'tooshort-7f3a' });
    expect(message).toContain('INVENTORY_CREDENTIAL is "(hidden)"');
    expect(message).not.toContain('7f3a');
  });

  test('takes several webhook secrets, so that one can be replaced', () => {
    const WEBHOOK_SECRETS = 'old-0123456789abcdef, new-0123456789abcdef';
    expect(readConfig({ ...REQUIRED, WEBHOOK_SECRETS }).WEBHOOK_SECRETS).toEqual([
      'old-0123456789abcdef',
      'new-0123456789abcdef',
    ]);
  });

  test.each([
    '',
    ',',
    'tooshort-7f3a',
    'good-0123456789abcdef,tooshort-7f3a',
    'good-0123456789abcd,',
  ])('refuses the webhook secrets %j without printing them', (WEBHOOK_SECRETS) => {
    const message = messageFor({ ...REQUIRED, WEBHOOK_SECRETS });
    expect(message).toContain('WEBHOOK_SECRETS is "(hidden)"');
    expect(message).not.toMatch(/7f3a|good/);
  });

  test('does not print a good secret when something else is bad', () => {
    const message = messageFor({ ...REQUIRED, SCHEDULE_SECONDS: 'x' });
    expect(message).not.toContain(REQUIRED.INVENTORY_CREDENTIAL);
  });

  test.each([
    ['SCHEDULE_SECONDS', '1', 1],
    ['DUPLICATE_WINDOW_SECONDS', '0', 0],
    ['INVENTORY_OUTAGE_BUDGET_SECONDS', '0', 0],
    ['RETRY_MAX_ATTEMPTS', '20', 20],
    ['MAX_OPEN_ORDERS_PER_USER', '1', 1],
    ['MAX_OPEN_ORDERS_PER_USER', '40', 40],
    ['DEFAULT_MAX_PER_ORDER', '1', 1],
    ['DEFAULT_MAX_PER_ORDER', '10000', 10_000],
  ] as const)('takes %s=%s', (name, value, expected) => {
    expect(readConfig({ ...REQUIRED, [name]: value })[name]).toBe(expected);
  });
});
