import { runEmulator } from './emulator/run-emulator.ts';

await runEmulator('localstack');
