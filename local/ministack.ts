import { fileURLToPath } from 'node:url';
import { startMiniStack } from './emulator/ministack.ts';
import { BadSettingError } from './start-settings.ts';
import { printFailure, stopSignal } from './terminal.ts';

const directory = fileURLToPath(new URL('../.local/ministack', import.meta.url));

function readPort(text = '4566'): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new BadSettingError(`MINISTACK_PORT is ${JSON.stringify(text)}: it must be a port.`);
}

const stopping = stopSignal();
try {
  const port = readPort(process.env['MINISTACK_PORT']);
  const miniStack = await startMiniStack({ directory, port, stopping });
  const { endpoint, version } = miniStack.emulator;
  console.log(`MiniStack ${version} is ready at ${endpoint}; its log: ${miniStack.logFile}
Deploy to it from another terminal: AWS_ENDPOINT_URL=${endpoint} npm run deploy:local
Ctrl-C stops it, and forgets what is deployed.`);
  const isStopped = new Promise((resolve) => {
    stopping.addEventListener('abort', resolve);
  });
  await Promise.race([isStopped, miniStack.ended]);
  await miniStack.stop();
  process.exit(stopping.aborted ? 0 : 1);
} catch (error) {
  if (stopping.aborted) process.exit(0);
  printFailure(error);
  process.exit(1);
}
