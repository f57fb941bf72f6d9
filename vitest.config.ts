import { defineConfig, type TestUserConfig } from 'vitest/config';

/** What holds for every target. */
export const shared: TestUserConfig = {
  pool: 'forks',
  hookTimeout: 120_000,
  // Only the test files themselves pass through vite. Everything they import is loaded by Node
  // as it is, because the embedded stack imports the handlers that way in the same process:
  // transformed a second time, a module would exist twice and share no state with them.
  server: { deps: { external: [/(?<!\.test)\.ts$/] } },
};

export default defineConfig({
  test: {
    ...shared,
    include: ['tests/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    reporters: ['default', ['json', { outputFile: '.local/vitest-report.json' }]],
  },
});
