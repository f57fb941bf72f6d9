import { expect, test } from 'vitest';
import { type Trial, tryMutant, tryMutants } from '../../torture/try-mutants.ts';

const SEED = 1;

/** Trials take seconds each on an idle machine. */
const LIMIT_MS = 180_000;

/** One mutant for each kind of exploration; `npm run torture -- --mutants` tries all. */
test('a guarantee that is switched off is missed', { timeout: LIMIT_MS }, async () => {
  const trials: Trial[] = [];
  const mutants = [
    'void-is-not-sent',
    'dispatched-order-is-no-longer-due',
    'stock-is-taken-unseen',
  ];
  for await (const trial of tryMutants(mutants, { processes: 2, seed: SEED })) trials.push(trial);
  const byName = Object.fromEntries(trials.map((trial) => [trial.mutant, trial]));
  expect(byName).toMatchObject({
    'void-is-not-sent': {
      verdict: 'CAUGHT',
      caughtBy: { scenario: 'never captured', strikes: '' },
    },
    'dispatched-order-is-no-longer-due': {
      verdict: 'CAUGHT',
      caughtBy: { scenario: 'paid', strikes: expect.stringContaining('dies') as string },
    },
    'stock-is-taken-unseen': {
      verdict: 'CAUGHT',
      caughtBy: {
        scenario: 'the last piece',
        strikes: expect.stringContaining('rival buys the rest@') as string,
        violation: expect.stringContaining('P1: the stock of prod-grinder') as string,
      },
    },
  });
});

test('a mutant that cannot be applied is no catch', async () => {
  expect(await tryMutant('no-such-mutant', SEED)).toEqual({
    mutant: 'no-such-mutant',
    verdict: 'FAILED',
    why: expect.stringContaining('There is no mutant no-such-mutant') as string,
  });
});
