import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { changesOf, MutantNotApplied, mutate } from '../../../torture/mutant.ts';
import { MUTANTS } from '../../../torture/mutants.ts';
import { SCENARIOS } from '../../../torture/scenarios.ts';

const DIRECTORY = fileURLToPath(new URL('../../..', import.meta.url));

const change = { file: 'lib/x.ts', find: '1', replace: '2' };

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a short script in a process of its own, with a mutant. */
function run(name: string, script: string): Promise<Ended> {
  const options = ['--import', './torture/mutation.ts', '--input-type=module', '--eval', script];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      options,
      { cwd: DIRECTORY, env: { ...process.env, MUTANT: name } },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode ?? -1, stdout, stderr });
      },
    );
  });
}

describe('the list of mutants', () => {
  test('has a name for each', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  test.each(MUTANTS)('$name changes lines that are there, once, into valid source', (one) => {
    for (const change of changesOf(one)) {
      const source = readFileSync(`${DIRECTORY}/${change.file}`, 'utf8');
      const mutated = mutate(change, source);
      expect(mutated).not.toBe(source);
      expect(() => stripTypeScriptTypes(mutated)).not.toThrow();
    }
  });

  test.each(MUTANTS)('$name names a scenario that is to catch it', ({ caughtBy }) => {
    expect(SCENARIOS.map(({ name }) => name)).toContain(caughtBy.scenario);
  });

  test.each([
    ['nowhere', 'const a = 3;'],
    ['twice', 'const a = 1 + 1;'],
  ])('refuses a text that stands there %s', (_times, source) => {
    expect(() => mutate(change, source)).toThrow(MutantNotApplied);
  });

  test('replaces nothing but the text', () => {
    expect(mutate({ ...change, replace: '$&' }, 'const a = 1;')).toBe('const a = $&;');
  });
});

describe('a process with a mutant', () => {
  const decide = `
    const { decideReserve } = await import('./lib/inventory/reservation-lifecycle.ts');
    const stored = { status: 'RELEASED', because: 'RELEASED', orderId: 'o', revision: 2, version: 1 };
    process.stdout.write(decideReserve(stored, 2).kind);
  `;

  test('lives without its guarantee', async () => {
    expect(await run('reserve-resurrects', decide)).toMatchObject({ code: 0, stdout: 'RESERVE' });
  });

  test('has all changes of a file', async () => {
    const { code, stdout } = await run(
      'hold-without-allowance',
      `
      const { holdOf, toReservedStock } = await import('./lib/orders/saga/reserve-stock.ts');
      const service = {
        config: { RESERVATION_TTL_SECONDS: 900 },
        deadlines: { holdSeconds: 1000, allowanceMs: 90_000 },
      };
      const { holdSeconds } = holdOf(service, { purpose: 'FIRST' });
      const held = { revision: 1, remainingMs: 100_000, items: [] };
      const { expiresAtMs } = toReservedStock(service, held, 0);
      process.stdout.write(holdSeconds + ' ' + expiresAtMs);
    `,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '910 100000' });
  });

  test('keeps every other guarantee', async () => {
    const ended = await run('write-ignores-status', decide);
    expect(ended).toMatchObject({ code: 0, stdout: 'REFUSE' });
  });

  test.each([
    ['that does not exist', 'no-such-mutant', 'no-such-mutant'],
    ['of a file it never loads', 'every-charge-has-a-new-key', 'was never loaded'],
  ])('fails, as no violation does, with one %s', async (_what, name, reason) => {
    const ended = await run(name, decide);
    expect(ended.code).toBe(70);
    expect(ended.stderr).toContain(reason);
  });
});
