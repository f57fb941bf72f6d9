import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';

type Options = Readonly<Record<string, string | boolean | undefined>>;

const { optionsOfCli, variablesOf } = createRequire(import.meta.url)(
  '../../infrastructure/run-offline.cjs',
) as {
  optionsOfCli: () => Readonly<Record<string, { readonly usage: string; readonly type: string }>>;
  variablesOf: (options: Options) => Readonly<Record<string, string>>;
};

/** Flags of serverless-offline 14.8, by hand. */
const TAKEN = [
  'disableCookieValidation',
  'host',
  'httpPort',
  'noPrependStageInUrl',
  'noSponsor',
  'useInProcess',
];
const REFUSED = [
  'albPort',
  'corsAllowHeaders',
  'corsAllowOrigin',
  'corsDisallowCredentials',
  'corsExposedHeaders',
  'dockerHost',
  'dockerHostServicePath',
  'dockerNetwork',
  'dockerReadOnly',
  'enforceSecureCookies',
  'httpsProtocol',
  'ignoreJWTSignature',
  'lambdaPort',
  'layersDir',
  'localEnvironment',
  'noAuth',
  'noTimeout',
  'prefix',
  'preLoadModules',
  'reloadHandler',
  'resourceRoutes',
  'rubyWatchDirs',
  'terminateIdleLambdaTime',
  'useDocker',
  'webSocketHardTimeout',
  'webSocketIdleTimeout',
  'websocketPort',
];

test('the CLI knows every flag, so that none is refused without a word', () => {
  expect(Object.keys(optionsOfCli()).sort()).toEqual([...TAKEN, ...REFUSED].sort());
});

describe('a flag', () => {
  test('becomes the variable that the local start reads', () => {
    expect(variablesOf({ httpPort: '3456', host: '0.0.0.0', region: 'eu-west-1' })).toEqual({
      API_PORT: '3456',
      LISTEN_ADDRESS: '0.0.0.0',
      AWS_REGION: 'eu-west-1',
    });
    expect(variablesOf({ host: 'localhost' })).toEqual({ LISTEN_ADDRESS: '127.0.0.1' });
  });

  test('that asks for how it is anyway changes nothing', () => {
    const so = { noPrependStageInUrl: true, useInProcess: true, noSponsor: true, stage: 'local' };
    expect(variablesOf(so)).toEqual({});
  });

  test.each([...REFUSED, 'param'])('%s is refused by name, with what to do', (name) => {
    expect(() => variablesOf({ httpPort: '3456', [name]: 'x' })).toThrow(
      new RegExp(`^Not supported here\\. --${name}: .{10,}\\.$`),
    );
  });
});
