import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type EmulatorOptions,
  HOST,
  type RunningEmulator,
  startEmulatorProcess,
} from './emulator-process.ts';
import { installPythonProgram } from './install-python-program.ts';

const LAUNCHER = fileURLToPath(new URL('patched_ministack.py', import.meta.url));

const PROGRAM = {
  name: 'MiniStack',
  requirements: [fileURLToPath(new URL('requirements.txt', import.meta.url))],
  python: { oldest: [3, 10] },
  instead:
    'With Docker it goes without: docker compose up ministack, and then npm run deploy:local or ' +
    'npm run test:stack -- --endpoint http://127.0.0.1:4566',
} as const;

/**
 * Starts the patched MiniStack on the loopback interface.
 * @throws PythonProblem, EmulatorProblem, PortInUseError
 */
export async function startMiniStack(options: EmulatorOptions): Promise<RunningEmulator> {
  const python = await installPythonProgram(PROGRAM, options.directory);
  return startEmulatorProcess({
    ...options,
    name: PROGRAM.name,
    portVariable: 'MINISTACK_PORT',
    command: [python, LAUNCHER],
    giveUpAfterMs: 60_000,
    prepare: (temporary) => {
      // Without this file Node would take the functions for ES modules, as the project's own files are.
      writeFileSync(join(temporary, 'package.json'), '{ "type": "commonjs" }');
      return {
        GATEWAY_PORT: String(options.port),
        BIND_HOST: HOST,
        // Host of the queues' URLs.
        MINISTACK_HOST: HOST,
      };
    },
  });
}
