import { describe, expect, it } from 'vitest';
import { BadSettingError, readStartSettings } from '../../../local/start-settings.ts';

describe('readStartSettings', () => {
  it('needs nothing', () => {
    expect(readStartSettings({ PATH: '/bin' })).toEqual({
      host: '127.0.0.1',
      ports: { api: 3000, companion: 3100, stepFunctions: 8083, queues: 9324, dynamodb: 8000 },
      environment: {},
      store: 'auto',
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
