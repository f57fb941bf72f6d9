import { runDlq } from './dlq/run-dlq.ts';
import { thisProcess } from './tool-process.ts';

process.exitCode = await runDlq(thisProcess());
