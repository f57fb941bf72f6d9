import { expect, test } from 'vitest';
import { expectPromisesAtRest, snapshotOf } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import { asTimeGoesOn, asTimePasses } from '../support/stack.ts';

const PLACES = 2;

const scene = new Scene({ MAX_LONG_WAITS: String(PLACES), SCHEDULE_SECONDS: '3600' });

/** Makes the calls at once. @returns their statuses, and how many lasted for all of their ten seconds. */
async function timed(calls: readonly (() => Promise<{ readonly status: number }>)[]) {
  const { clock } = scene.stack;
  const beganMs = clock.now();
  const answers = await asTimePasses(() =>
    Promise.all(
      calls.map(async (call) => {
        const { status } = await call();
        return { status, isLong: clock.now() - beganMs >= 10_000 };
      }),
    ),
  );
  return {
    statuses: answers.map(({ status }) => status),
    long: answers.filter(({ isLong }) => isLong).length,
  };
}

/** Places are counted by windows of time, and calls may begin in two of them. */
function expectBounded(long: number): void {
  expect(long).toBeGreaterThanOrEqual(PLACES);
  expect(long).toBeLessThanOrEqual(2 * PLACES);
}

test('of many payments that wait, some wait on, and the others are told to come back', async () => {
  const orderIds: string[] = [];
  for (let order = 1; order <= 5; order += 1) {
    orderIds.push((await scene.user.reserved(scene.productId, 1)).orderId);
    await scene.freshProduct();
  }
  const { statuses, long } = await timed(
    orderIds.map(
      (orderId) => () => scene.user.pay(orderId, 'tok_never_captured', { wait: 10, key: orderId }),
    ),
  );
  expect(statuses).toEqual(Array(5).fill(202));
  expectBounded(long);
});

test('of many looks at an order that wait for its change, some wait on', async () => {
  const order = await scene.user.reserved(scene.productId, 1);
  // The windows of the test before are over.
  await scene.stack.clock.advance(20_000);
  const { headers } = await scene.user.call('GET', `/order/${order.orderId}`);
  const since = { prefer: 'wait=10', 'if-none-match': headers.get('etag') ?? '' };
  const look = () =>
    scene.user.call('GET', `/order/${order.orderId}`, undefined, { headers: since });
  const { statuses, long } = await timed([look, look, look, look, look]);
  expect(statuses).toEqual(Array(5).fill(304));
  expectBounded(long);
});

test('at the end every promise holds', async () => {
  await asTimeGoesOn(
    scene.stack,
    async () => {
      await scene.stack.runSchedules();
      const { payments } = await snapshotOf(scene.stack);
      expect(payments.filter(({ status }) => status === 'PENDING')).toEqual([]);
    },
    { stepSeconds: 60 },
  );
  await scene.inTime(() => expectPromisesAtRest(scene.stack));
});
