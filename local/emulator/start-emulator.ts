import type { EmulatorOptions, RunningEmulator } from './emulator-process.ts';
import type { EmulatorKind } from './find-emulator.ts';
import { startLocalStack } from './localstack.ts';
import { startMiniStack } from './ministack.ts';

/** Functions that start an emulator without Docker. */
export const START_EMULATOR = {
  ministack: startMiniStack,
  localstack: startLocalStack,
} satisfies Record<EmulatorKind, (options: EmulatorOptions) => Promise<RunningEmulator>>;
