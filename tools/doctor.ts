import { runDoctor } from './doctor/run-doctor.ts';
import { thisProcess } from './tool-process.ts';

process.exitCode = await runDoctor(thisProcess());
