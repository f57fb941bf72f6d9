import { expect, test } from 'vitest';
import { exploreCrashes, type Run, runScenario } from '../../torture/explore.ts';
import { SCENARIOS, type Scenario } from '../../torture/scenarios.ts';

process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';

const SEED = 1;

function scenario(name: string): Scenario {
  const found = SCENARIOS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no scenario ${name}.`);
  return found;
}

/** As its user sees them in the end: an order's statuses, and what its payments came to. */
const ENDS: Readonly<Record<string, readonly [order: string, charges: readonly string[]]>> = {
  paid: ['PAYMENT_DONE', ['CAPTURED']],
  declined: ['PAYMENT_FAILED', ['DECLINED']],
  'out of stock': ['INVALID', []],
  expired: ['ORDER_FAILED', []],
  'cancelled while CREATED': ['ORDER_CANCELLED', []],
  'cancelled while reserving': ['ORDER_CANCELLED', []],
  'cancelled while waiting for its payment': ['ORDER_CANCELLED', []],
  'cancelled after a declined payment': ['ORDER_CANCELLED', ['DECLINED']],
  'cancelled after it failed': ['ORDER_CANCELLED', []],
  'modified while waiting for its payment': ['PAYMENT_DONE', ['CAPTURED']],
  'modified while being paid': ['PAYMENT_DONE', ['VOIDED', 'CAPTURED']],
  'modified after a declined payment': ['PAYMENT_DONE', ['DECLINED', 'CAPTURED']],
  'order retried': ['PAYMENT_DONE', ['CAPTURED']],
  'payment retried': ['PAYMENT_DONE', ['DECLINED', 'CAPTURED']],
  acknowledged: ['PAYMENT_DONE', ['CAPTURED']],
  'acknowledged twice': ['PAYMENT_DONE', ['CAPTURED']],
  'acknowledged late': ['PAYMENT_DONE', ['CAPTURED']],
  'acknowledgement lost': ['PAYMENT_DONE', ['CAPTURED']],
  'never captured': ['PAYMENT_FAILED', ['VOIDED']],
  'answer of Inventory lost': ['PAYMENT_DONE', ['CAPTURED']],
  'answer of the gateway lost': ['PAYMENT_DONE', ['CAPTURED']],
  'captured after it was given up': ['PAYMENT_FAILED', ['REFUNDED']],
};

test.each(SCENARIOS)('without a fault, an order $name ends as it should', async (one) => {
  const { violations, ends } = await runScenario(one, SEED, []);
  expect(violations).toEqual([]);
  expect(ends).toEqual([ENDS[one.name]]);
});

/** The long version, over every scenario and pairs of crashes, is `npm run torture`. */
test.each(['paid', 'cancelled while reserving', 'captured after it was given up'])(
  'an order %s keeps every promise whichever of its side effects is struck',
  async (name) => {
    const broken: Run[] = [];
    let runs = 0;
    for await (const run of exploreCrashes(scenario(name), SEED)) {
      runs += 1;
      if (run.violations.length > 0) broken.push(run);
    }
    expect(broken.map(({ strikes, violations }) => ({ strikes, violations }))).toEqual([]);
    expect(runs).toBeGreaterThan(30);
  },
);
