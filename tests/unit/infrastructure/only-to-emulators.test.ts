import { createRequire } from 'node:module';
import { afterEach, describe, expect, test, vi } from 'vitest';

type Plugin = new (serverless: object) => { readonly hooks: { readonly initialize: () => void } };

const OnlyToEmulators = createRequire(import.meta.url)(
  '../../../infrastructure/only-to-emulators.cjs',
) as Plugin;

const VARIABLES = [
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_S3',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
];

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Runs the CLI's hook for a command, with only these AWS variables. */
function run(command: string, stage = 'local', environment: Record<string, string> = {}): void {
  for (const name of VARIABLES) vi.stubEnv(name, environment[name]);
  const plugin = new OnlyToEmulators({
    processedInput: { commands: command.split(' ') },
    service: { provider: { stage } },
    classes: { Error },
  });
  plugin.hooks.initialize();
}

const EMULATOR = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' };

describe('stage local', () => {
  test.each([
    'deploy',
    'deploy function',
    'info',
    'invoke',
    'logs',
    'metrics',
    'remove',
    'rollback',
  ])('is refused for serverless %s without an emulator', (command) => {
    expect(() => {
      run(command);
    }).toThrow(`serverless ${command} is not for AWS in stage local`);
  });

  test.each(['package', 'print', 'offline', 'invoke local'])(
    'is let pass for serverless %s, which stays on this machine',
    (command) => {
      run(command);
    },
  );

  test('is deployed where AWS_ENDPOINT_URL leads to an emulator', () => {
    run('deploy', 'local', EMULATOR);
  });

  test.each([
    ['AWS itself', { AWS_ENDPOINT_URL: 'https://cloudformation.eu-central-1.amazonaws.com' }],
    ['AWS for one service', { ...EMULATOR, AWS_ENDPOINT_URL_S3: 'https://s3.amazonaws.com' }],
    ['no URL', { AWS_ENDPOINT_URL: '127.0.0.1' }],
    [
      'what the SDK is told to ignore',
      { ...EMULATOR, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
    ],
  ])('is refused where it leads to %s', (_where, environment) => {
    expect(() => {
      run('deploy', 'local', environment);
    }).toThrow('npm run deploy:local');
  });
});

test('every other stage is deployed to AWS', () => {
  run('deploy', 'prod');
});
