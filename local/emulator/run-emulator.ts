import { fileURLToPath } from 'node:url';
import { BadSettingError } from '../start-settings.ts';
import { printFailure, stopSignal } from '../terminal.ts';
import { EMULATOR_NAMES, type EmulatorKind } from './find-emulator.ts';
import { START_EMULATOR } from './start-emulator.ts';

/** Runs an emulator in this terminal until Ctrl-C, SIGTERM or its own end, then ends the process. */
export async function runEmulator(kind: EmulatorKind): Promise<never> {
  const stopping = stopSignal();
  try {
    const running = await START_EMULATOR[kind]({
      directory: fileURLToPath(new URL(`../../.local/${kind}`, import.meta.url)),
      port: readPort(`${kind.toUpperCase()}_PORT`),
      stopping,
    });
    const { endpoint, version } = running.emulator;
    console.log(`${EMULATOR_NAMES[kind]} ${version} is ready at ${endpoint}; its log: ${running.logFile}
Deploy to it from another terminal: AWS_ENDPOINT_URL=${endpoint} npm run deploy:local
Ctrl-C stops it, and forgets what is deployed.`);
    const isStopped = new Promise((resolve) => {
      stopping.addEventListener('abort', resolve);
    });
    await Promise.race([isStopped, running.ended]);
    await running.stop();
    process.exit(stopping.aborted ? 0 : 1);
  } catch (error) {
    if (stopping.aborted) process.exit(0);
    printFailure(error);
    process.exit(1);
  }
}

function readPort(variable: string): number {
  const text = process.env[variable] ?? '4566';
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new BadSettingError(`${variable} is ${JSON.stringify(text)}: it must be a port.`);
}
