import { expect, test } from 'vitest';
import { ORDER_SAGA } from '../../statemachines/order-saga.ts';
import {
  exploreCrashes,
  exploreLate,
  exploreLostRuns,
  exploreRivals,
} from '../../torture/explore.ts';
import { type Run, runScenario } from '../../torture/run-scenario.ts';
import { SCENARIOS, scenarioNamed } from '../../torture/scenarios.ts';
import { formatStrikes, parseStrikes } from '../../torture/strikes.ts';
import type { RecordedEffect } from '../../torture/world/effect-log.ts';
import { GATEWAY_URL } from '../../torture/world/settings.ts';

process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';

const SEED = 1;

/** Hundreds of lives of an order take seconds on an idle machine. */
const LIMIT_MS = 180_000;

type End = readonly [order: string, charges: readonly string[]];

/** Expected end of each scenario: the order's status and those of its charges. */
const ENDS: Readonly<Record<string, End>> = {
  paid: ['PAYMENT_DONE', ['CAPTURED']],
  declined: ['PAYMENT_FAILED', ['DECLINED']],
  'refused before a charge': ['PAYMENT_FAILED', []],
  'captured another amount': ['PAYMENT_FAILED', ['REFUNDED']],
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
  'acknowledged by an event that nobody knows': ['PAYMENT_DONE', ['CAPTURED']],
  'acknowledged untruly': ['PAYMENT_FAILED', ['VOIDED']],
  'never captured': ['PAYMENT_FAILED', ['VOIDED']],
  'answer of Inventory lost': ['PAYMENT_DONE', ['CAPTURED']],
  'hung while reserving': ['PAYMENT_DONE', ['CAPTURED']],
  'wait timed out early': ['PAYMENT_DONE', ['CAPTURED']],
  throttled: ['PAYMENT_DONE', ['CAPTURED']],
  'answer of the gateway lost': ['PAYMENT_DONE', ['CAPTURED']],
  'captured after it was given up': ['PAYMENT_FAILED', ['REFUNDED']],
  'the last piece': ['PAYMENT_DONE', ['CAPTURED']],
  'ordered twice': ['PENDING_PAYMENT', []],
  'ordered twice at the same moment': ['PENDING_PAYMENT', []],
  'retried while the last place is wanted': ['PENDING_PAYMENT', []],
  'out of stock until more comes': ['INVALID', []],
  'modified in vain until more comes': ['PAYMENT_DONE', ['CAPTURED']],
  'modified just before the wait for the acknowledgement': ['PAYMENT_DONE', ['VOIDED', 'CAPTURED']],
  'acknowledged before the wait for it': ['PAYMENT_DONE', ['CAPTURED']],
  'expired before its charge': ['PAYMENT_FAILED', []],
  'Inventory away after the capture': ['PAYMENT_FAILED', ['REFUNDED']],
  'Inventory away until the last try of the second run': ['PAYMENT_DONE', ['CAPTURED']],
  'paid under an impatient dispatcher': ['PAYMENT_DONE', ['CAPTURED']],
};

const SEVERAL: Readonly<Record<string, readonly End[]>> = {
  'Inventory throttled': [
    ['PAYMENT_DONE', ['CAPTURED']],
    ['PAYMENT_DONE', ['CAPTURED']],
    ['PENDING_PAYMENT', []],
  ],
  'gateway throttled': [
    ['PAYMENT_DONE', ['CAPTURED']],
    ['PAYMENT_DONE', ['CAPTURED']],
    ['PAYMENT_DONE', ['CAPTURED']],
  ],
  'every function taken': [
    ['PENDING_PAYMENT', []],
    ['PAYMENT_DONE', ['CAPTURED']],
  ],
  'flooded by another user': [
    ['INVALID', []],
    ['PENDING_PAYMENT', []],
    ['PAYMENT_DONE', ['CAPTURED']],
    ['PENDING_PAYMENT', []],
  ],
  'Inventory never answers about one order': [
    ['ORDER_FAILED', []],
    ['PAYMENT_DONE', ['CAPTURED']],
  ],
  'Inventory refuses one order for no known reason': [
    ['ORDER_FAILED', []],
    ['PAYMENT_DONE', ['CAPTURED']],
  ],
  'more pieces than one order may have': [
    ['INVALID', []],
    ['PENDING_PAYMENT', []],
  ],
  'ordered beside an unreadable order': [
    ['PENDING_PAYMENT', []],
    ['PENDING_PAYMENT', []],
  ],
  'ordered twice on purpose': [
    ['PENDING_PAYMENT', []],
    ['PENDING_PAYMENT', []],
  ],
  'as many orders as allowed': [
    ['PENDING_PAYMENT', []],
    ['ORDER_CANCELLED', []],
    ['PENDING_PAYMENT', []],
  ],
  'retried without a place': [
    ['ORDER_FAILED', []],
    ['PENDING_PAYMENT', []],
  ],
  'modified while the same is ordered': [
    ['ORDER_CANCELLED', []],
    ['PENDING_PAYMENT', []],
    ['PENDING_PAYMENT', []],
  ],
};

/** Attempts of a saga's task that call Inventory or the gateway more often than its table says. */
function moreCallsThanDeclared(effects: readonly RecordedEffect[]): string[] {
  const tasks = Object.values(ORDER_SAGA.states).filter((state) => state.type === 'Task');
  const calls = effects.filter(({ kind }) => kind === 'http');
  return [...Map.groupBy(calls, ({ invocation }) => invocation)].flatMap(
    ([{ functionKey }, made]) => {
      const declared = tasks.find(({ invokes }) => invokes === functionKey)?.calls;
      if (declared === undefined) return [];
      const gateway = made.filter(({ target }) => target.startsWith(GATEWAY_URL)).length;
      const allowed = declared.filter((service) => service === 'gateway').length;
      const isMore = gateway > allowed || made.length - gateway > declared.length - allowed;
      return isMore ? [`${functionKey}: ${made.map(({ target }) => target).join(', ')}`] : [];
    },
  );
}

test.each(SCENARIOS)('without a fault, an order $name ends as it should', async (one) => {
  const { violations, ends, effects } = await runScenario(one, SEED, []);
  expect(violations).toEqual([]);
  expect(moreCallsThanDeclared(effects)).toEqual([]);
  expect(ends).toEqual(SEVERAL[one.name] ?? [ENDS[one.name]]);
});

async function violationsOf(runs: AsyncIterable<Run>) {
  const broken = [];
  for await (const { strikes, violations } of runs) {
    if (violations.length > 0) broken.push({ strikes: formatStrikes(strikes), violations });
  }
  return broken;
}

test('the last piece keeps every promise whenever somebody buys the rest', {
  timeout: LIMIT_MS,
}, async () => {
  const runs = exploreRivals(scenarioNamed('the last piece'), SEED, ['buys the rest']);
  expect(await violationsOf(runs)).toEqual([]);
});

test('an order cancelled while reserving keeps every promise whatever is late', {
  timeout: LIMIT_MS,
}, async () => {
  expect(await violationsOf(exploreLate(scenarioNamed('cancelled while reserving'), SEED))).toEqual(
    [],
  );
});

test('a refused change leaves the old items, whenever its run is lost', {
  timeout: LIMIT_MS,
}, async () => {
  const scenario = scenarioNamed('modified in vain until more comes');
  expect(await violationsOf(exploreLostRuns(scenario, SEED, () => false))).toEqual([]);
});

test('a wait that was stored late does not keep a modified order from being paid at once', async () => {
  // The first waiting step, delivered again just before the payment that follows the change.
  const strikes = parseStrikes('comes again@12,arrival@31');
  const run = await runScenario(
    scenarioNamed('modified while waiting for its payment'),
    SEED,
    strikes,
  );
  expect(run.effects[11]).toMatchObject({ by: 'reserveStock' });
  expect(run.effects[30]).toMatchObject({ by: 'startPayment' });
  expect(run).toMatchObject({ violations: [], restMs: 0, ends: [['PAYMENT_DONE', ['CAPTURED']]] });
});

test('an order that is out of time is not at rest', async () => {
  // The wait began a second after the hold, so it ends a second later too.
  const strikes = parseStrikes('dies after@12,dies before@14');
  const run = await runScenario(scenarioNamed('expired'), SEED, strikes);
  expect(run).toMatchObject({ violations: [], ends: [['ORDER_FAILED', []]] });
});

/** `npm run torture` runs every scenario, and pairs of crashes. */
test.each(['paid', 'cancelled while reserving', 'captured after it was given up'])(
  'an order %s keeps every promise whichever of its side effects is struck',
  { timeout: LIMIT_MS },
  async (name) => {
    expect(await violationsOf(exploreCrashes(scenarioNamed(name), SEED))).toEqual([]);
  },
);
