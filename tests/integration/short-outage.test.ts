import { describe, expect, test } from 'vitest';
import {
  answerWith,
  type Fault,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
  timeOut,
} from '../support/faults.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import type { OrderDocument } from '../support/shop.ts';
import { asTimeGoesOn, eventually, messagesIn } from '../support/stack.ts';

const AWAY_SECONDS = 39;
/** Longest delay before the saga tries again. */
const PAUSE_SECONDS = 5;

const FAILURES: [string, Fault['act']][] = [
  ['refuses connections', refuseConnection],
  ['does not answer', timeOut],
  ['does the work, and loses the answer', loseAnswer],
  ['answers 502', answerWith(502)],
  ['answers CACHE_TIMEOUT', answerWith(503, {}, { code: 'CACHE_TIMEOUT' })],
  ['answers LOCK_CONTENTION', answerWith(503, {}, { code: 'LOCK_CONTENTION' })],
];

describe.each([
  { budgetSeconds: 60, end: 'PENDING_PAYMENT' },
  { budgetSeconds: 20, end: 'ORDER_FAILED' },
])('with a budget of $budgetSeconds s, a lone order', ({ budgetSeconds, end }) => {
  const scene = new Scene({
    INVENTORY_OUTAGE_BUDGET_SECONDS: String(budgetSeconds),
    RETRY_MAX_ATTEMPTS: '3',
    RESERVATION_TTL_SECONDS: '7200',
    SCHEDULE_SECONDS: '3600',
  });

  test.each(FAILURES)(`ends as ${end} where Inventory %s for 39 s`, async (_what, act) => {
    const untilMs = scene.stack.clock.now() + AWAY_SECONDS * 1000;
    const reserving = httpCall('PUT', '/inventory/reservation/');
    inject(scene.stack, {
      on: (effect) => reserving(effect) && scene.stack.clock.now() < untilMs,
      act,
    });
    const { orderId } = (await scene.user.place([{ productId: scene.productId, quantity: 1 }]))
      .order;

    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT', 'ORDER_FAILED'),
      { stepSeconds: 1 },
    );

    expect(order.status).toBe(end);
    const letters = () =>
      messagesIn(scene.stack, 'SagaDeadLetterQueue').filter((one) => one['orderId'] === orderId);
    if (end === 'PENDING_PAYMENT') {
      expect(letters()).toEqual([]);
      return;
    }
    const triedSeconds = secondsOf(order);
    expect(triedSeconds).toBeGreaterThan(budgetSeconds - 1);
    expect(triedSeconds).toBeLessThan(budgetSeconds + 2 * PAUSE_SECONDS);
    await eventually(() => {
      expect(letters()).toMatchObject([{ error: 'InventoryOutageBudgetSpent' }]);
    });
  });

  test('at the end every promise holds', async () => {
    await scene.stack.runSchedules();
    await scene.inTime(() => expectPromisesAtRest(scene.stack));
  });
});

/** Time from the first status to the last one. */
function secondsOf({ history }: OrderDocument): number {
  return (Date.parse(history.at(-1)?.at ?? '') - Date.parse(history[0]?.at ?? '')) / 1000;
}
