import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const directory = fileURLToPath(new URL('../..', import.meta.url));
const manifest = createRequire(import.meta.url).resolve('serverless/package.json');
const cli = join(dirname(manifest), 'bin', 'serverless.js');

test('serverless deploy of stage local to AWS is refused, and npm run deploy:local named', async () => {
  const { AWS_ENDPOINT_URL: _emulator, ...environment } = process.env;
  const credentials = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'example' };
  const deploying = promisify(execFile)(process.execPath, [cli, 'deploy', '--stage', 'local'], {
    cwd: directory,
    env: { ...environment, ...credentials, NO_COLOR: '1' },
  });
  const { stderr, stdout } = await deploying.catch(
    (error: unknown) => error as { readonly stderr: string; readonly stdout: string },
  );
  expect(`${stdout}${stderr}`).toContain(
    'serverless deploy is not for AWS in stage local: deploy to an emulator with npm run deploy:local',
  );
  await expect(deploying).rejects.toMatchObject({ code: 1 });
});
