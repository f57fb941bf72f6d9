import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DeployedStack, startDeployedStack } from './emulator/deployed-stack.ts';
import { EMULATOR_NAMES, findEmulator } from './emulator/find-emulator.ts';
import { readStartSettings } from './start-settings.ts';
import { printProgress, untilStopped } from './terminal.ts';
import { welcome } from './welcome.ts';

const directory = fileURLToPath(new URL('..', import.meta.url));
const logFile = join(directory, '.local', 'deploy.log');

async function start(stopping: AbortSignal): Promise<DeployedStack> {
  const startedAt = performance.now();
  const settings = readStartSettings(process.env);
  const emulator = await findEmulator(process.env['AWS_ENDPOINT_URL'] ?? 'http://127.0.0.1:4566');
  const { kind, version, endpoint } = emulator;
  console.log(`Deploying ordersaga to ${EMULATOR_NAMES[kind]} ${version} at ${endpoint}.\n`);
  const stack = await startDeployedStack({
    directory,
    emulator,
    companionPort: settings.ports.companion,
    parameters: settings.environment,
    logFile,
    onProgress: printProgress,
    stopping,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`\nordersaga is deployed and works after ${seconds} s.`);
  console.log(
    await welcome(stack, {
      places: { AWS: endpoint, 'CLI log': relative(process.cwd(), logFile) },
      ending: 'Ctrl-C stops the companion; what is deployed stays on the emulator.',
    }),
  );
  return stack;
}

await untilStopped(start);
