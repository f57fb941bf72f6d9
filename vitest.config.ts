import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Only the test files themselves pass through vite. Everything they import is loaded by Node
    // as it is, because the embedded stack imports the handlers that way in the same process:
    // transformed a second time, a module would exist twice and share no state with them.
    server: { deps: { external: [/(?<!\.test)\.ts$/] } },
    reporters: ['default', ['json', { outputFile: '.local/vitest-report.json' }]],
  },
});
