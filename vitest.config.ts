import { defineConfig, type TestUserConfig } from 'vitest/config';

/** Shared by every project and every target. */
export const shared: TestUserConfig = {
  pool: 'forks',
  hookTimeout: 120_000,
  testTimeout: 60_000,
  // Only the test files themselves pass through vite. Everything they import is loaded by Node
  // as it is, because the embedded stack imports the handlers that way in the same process:
  // transformed a second time, a module would exist twice and share no state with them.
  server: { deps: { external: [/(?<!\.test)\.ts$/] } },
};

/** The file that .ci/run counts the tests of this run from. */
const REPORT = `.local/${process.env['TEST_REPORT'] ?? 'vitest'}-report.json`;

/** Parts of the suite that act on what only the embedded stack has: real HTTP, processes, tokens and logs. */
const REAL = [
  'access',
  'browsers',
  'correlation',
  'fault-modes',
  'hurt-stack',
  'memory-store',
  'npm-start',
  'offline',
  'npm-start-without-java',
  'operators-view',
  'package',
  'restarted',
  'small-account',
].map((name) => `tests/integration/${name}.test.ts`);

/** Of the other parts, those that a newcomer's run repeats on the embedded stack, as a smoke test. */
const SMOKE = ['first-order', 'whole-way', 'dlq'].map(
  (name) => `tests/integration/${name}.test.ts`,
);

/** Runs for minutes and repeats, over real processes, what torture does on a fake clock. */
const LONG = ['tests/integration/killed.test.ts'];

/** Need a process whose logger and metrics nobody has used yet: libraries make theirs once a process. */
const ISOLATED = [
  'orders/saga/task',
  'platform/http/refused-access',
  'platform/lambda/observe',
  'platform/lambda/round-gauge',
].map((name) => `tests/unit/lib/${name}.test.ts`);

const INTEGRATION = 'tests/integration/*.test.ts';

/**
 * `npm test` runs all projects but `embedded`; `npm run test:all` runs that too: the whole suite once more on the
 * embedded stack. tests/README.md says where a test belongs.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', ['json', { outputFile: REPORT }]],
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['tests/unit/**/*.test.ts', 'tests/contract/**/*.test.ts'],
          exclude: ISOLATED,
          // The logger and the metrics read these when the first file of a thread uses them.
          env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
          pool: 'threads',
          isolate: false,
        },
      },
      { test: { ...shared, name: 'isolated', include: ISOLATED } },
      {
        test: {
          ...shared,
          name: 'simulated',
          include: [INTEGRATION, 'tests/torture/*.test.ts', 'tests/permissions/*.test.ts'],
          exclude: [...REAL, ...LONG, 'tests/integration/whole-way.test.ts'],
          env: { TEST_STACK: 'simulated' },
          // The handlers are imported once for all files of a process.
          isolate: false,
        },
      },
      {
        test: {
          ...shared,
          name: 'smoke',
          include: [...REAL, ...SMOKE, 'tests/{dynamodb,step-functions}/*.test.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'embedded',
          include: [INTEGRATION],
          exclude: [...REAL, ...SMOKE],
        },
      },
    ],
  },
});
