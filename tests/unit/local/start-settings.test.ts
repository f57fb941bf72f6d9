import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../../lib/platform/settings.ts';
import { BadSettingError, readStartSettings } from '../../../local/start-settings.ts';

describe('readStartSettings', () => {
  it('needs nothing', () => {
    expect(readStartSettings({ PATH: '/bin' })).toEqual({
      host: '127.0.0.1',
      ports: { api: 3000, companion: 3100, stepFunctions: 8083, queues: 9324, dynamodb: 8000 },
      environment: {},
      store: 'auto',
      concurrency: 1000,
    });
  });

  it('takes ports, the address and the configuration of the service', () => {
    const { host, ports, environment } = readStartSettings({
      LISTEN_ADDRESS: '0.0.0.0',
      API_PORT: '3001',
      RESERVATION_TTL_SECONDS: '5',
      UNRELATED: 'x',
    });
    expect(host).toBe('0.0.0.0');
    expect(ports.api).toBe(3001);
    expect(environment).toEqual({ RESERVATION_TTL_SECONDS: '5' });
  });

  it('passes on every setting of the service as it is given', () => {
    const numbers = Object.entries(SETTINGS).flatMap(([name, setting]) =>
      setting.kind === 'number' ? [[name, String(setting.max)] as const] : [],
    );
    const given = {
      ...Object.fromEntries(numbers),
      GATEWAY_URL: 'https://gateway.example',
      INVENTORY_URL: 'https://inventory.example',
      PAYMENT_PAGE_URL: 'https://shop.example/{orderId}',
      JWT_ISSUER: 'https://issuer.example/',
      JWT_AUDIENCE: 'shop',
      JWKS_URL: 'https://issuer.example/keys',
      CIRCUIT_FAILURE_RATIO: '0.25',
      ALLOWED_ORIGINS: 'https://shop.example,http://localhost:5173',
      INVENTORY_CREDENTIAL: 'credential-0123456789',
      WEBHOOK_SECRETS: 'new-0123456789abcdef,old-0123456789abcdef',
    };
    expect(Object.keys(given).sort()).toEqual(Object.keys(SETTINGS).sort());
    expect(readStartSettings(given).environment).toEqual(given);
  });

  const required = Object.keys(SETTINGS).filter((name) => name !== 'ALLOWED_ORIGINS');
  it.each(required)('names %s when it is empty, and says its range', (name) => {
    expect(() => readStartSettings({ [name]: '' })).toThrow(
      new RegExp(`^Bad setting\\. ${name} is ".*": it must be .+\\.$`),
    );
  });

  it.each(['INVENTORY_CREDENTIAL', 'WEBHOOK_SECRETS'])('never prints a bad %s', (name) => {
    const read = () => readStartSettings({ [name]: 'good-0123456789abcd,tooshort-7f3a' });
    expect(read).toThrow(`${name} is "(hidden)": it must be secrets separated by commas`);
    expect(read).not.toThrow(/7f3a|good/);
  });

  it('names every bad variable at once', () => {
    const read = () => readStartSettings({ API_PORT: '0', SCHEDULE_SECONDS: '0' });
    expect(read).toThrow('SCHEDULE_SECONDS is "0": it must be a whole number of seconds from 1');
    expect(read).toThrow('API_PORT is "0": it must be a whole number from 1 to 65535');
  });

  it('takes where to keep data from the command line', () => {
    expect(readStartSettings({}, ['--data', 'shop']).dataDirectory).toBe('shop');
    expect(readStartSettings({}, []).dataDirectory).toBeUndefined();
  });

  it.each([[['--dat', 'x']], [['--data']], [['--data=']], [['shop']]])(
    'refuses %j and says how it is meant',
    (commandLine) => {
      const read = () => readStartSettings({}, commandLine);
      expect(read).toThrow(BadSettingError);
      expect(read).toThrow('npm start -- [--data DIR]');
    },
  );

  it.each([
    ['API_PORT', '70000'],
    ['DYNAMODB_PORT', 'eight thousand'],
    ['QUEUES_PORT', '1.5'],
    ['COMPANION_PORT', '0'],
    ['LISTEN_ADDRESS', 'everywhere'],
  ])('names %s when it is %s', (variable, value) => {
    const read = () => readStartSettings({ [variable]: value });
    expect(read).toThrow(BadSettingError);
    expect(read).toThrow(`${variable} is "${value}"`);
  });
});
