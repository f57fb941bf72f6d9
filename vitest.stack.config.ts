import { defineConfig } from 'vitest/config';
import { shared } from './vitest.config.ts';

/** The end-to-end part of the suite, for a stack that is deployed: see docs/emulators.md. */
const END_TO_END = [
  'cancel',
  'first-order',
  'idempotency',
  'list-orders',
  'openapi',
  'reservations',
  'retry-order',
  'whole-way',
];

/** Step Functions itself; LocalStack's differs from AWS in what these hold it to. */
const STEP_FUNCTIONS = 'tests/step-functions/{executions,state-machines,task-tokens,tasks}.test.ts';

/** Set by `npm run test:stack`. */
const emulator = process.env['STACK_EMULATOR'] ?? 'ministack';

export default defineConfig({
  test: {
    ...shared,
    include: [
      ...END_TO_END.map((name) => `tests/integration/${name}.test.ts`),
      ...(emulator === 'localstack' ? [] : [STEP_FUNCTIONS]),
    ],
    // They share one stack, and a fault that one sets strikes all.
    fileParallelism: false,
    // In the same order every time, and not as long as each took last time.
    cache: false,
    testTimeout: 120_000,
    reporters: ['default', ['json', { outputFile: `.local/stack-report-${emulator}.json` }]],
  },
});
