import { describe, expect, test } from 'vitest';
import type { Order } from '../../../../../lib/orders/order.ts';
import { dispatchDueWork } from '../../../../../lib/orders/recovery/dispatch-due-work.ts';
import { isReportDue } from '../../../../../lib/orders/recovery/report-stuck-work.ts';
import { ConcurrentUpdate, InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, paymentIn, World } from '../fakes.ts';

const MINUTE_MS = 60_000;
const NO_ANSWER = new InfrastructureUnavailable('No answer.');

/** Two rounds of the default schedule of a minute. */
const WINDOW_MS = 2 * MINUTE_MS;

describe('work that still fails is reported', () => {
  test.each([
    ['when it has just fallen due', 0, false],
    ['a millisecond before a quarter of an hour', 15 * MINUTE_MS - 1, false],
    ['at a quarter of an hour', 15 * MINUTE_MS, true],
    ['in the round after that', 16 * MINUTE_MS, true],
    ['two rounds after that', 17 * MINUTE_MS, false],
    ['a millisecond before half an hour', 30 * MINUTE_MS - 1, false],
    ['at half an hour', 30 * MINUTE_MS, true],
    ['at three quarters', 45 * MINUTE_MS, false],
    ['at an hour', 60 * MINUTE_MS, true],
    ['at two hours', 120 * MINUTE_MS, true],
    ['at three hours', 180 * MINUTE_MS, false],
    ['at four hours', 240 * MINUTE_MS, true],
    ['at 64 hours', 3840 * MINUTE_MS, true],
    ['at 64 hours and two minutes', 3842 * MINUTE_MS, false],
    ['at 65,536 hours', 3_932_160 * MINUTE_MS, true],
  ])('%s: %i ms: %s', (_when, overdueMs, expected) => {
    expect(isReportDue(overdueMs, WINDOW_MS)).toBe(expected);
  });

  test.each([
    [[14, 15.5, 16.5, 17.5, 18.5]],
    // One round is missing.
    [[14, 14.9, 16.9, 17.9]],
    [[14.5, 16.5, 18.5]],
  ])('at least once, whenever the rounds come: after %j minutes', (rounds) => {
    const reports = rounds.filter((minutes) => isReportDue(minutes * MINUTE_MS, WINDOW_MS));
    expect(reports.length).toBeGreaterThan(0);
  });

  test('in every round where rounds are further apart than the marks', () => {
    const hours = [1, 2, 3, 4, 5];
    const reported = hours.filter((hour) => isReportDue(hour * 3_600_000, 2 * 3_600_000));
    expect(reported).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('the letter of work that is stuck', () => {
  /** A world with overdue work, in which every call with this prefix fails. */
  function stuck(overdueMinutes: number, failing: string, error: Error = NO_ANSWER): World {
    const world = new World(orderIn('CREATED', { dueAtMs: NOW_MS - overdueMinutes * MINUTE_MS }));
    world.failAt(failing, error);
    return world;
  }

  const round = (world: World) => dispatchDueWork(world.service, () => true);

  test('names order, run, step and error, and leaves the order as it was', async () => {
    const world = stuck(15, 'saga.start');
    const before = world.order;
    expect(await round(world)).toMatchObject({ handled: 0, unread: [] });
    expect(world.deadLetters).toEqual([
      {
        orderId: 'ord_1',
        run: 2,
        correlationId: 'corr-1',
        step: 'dispatch-due-work',
        error: 'InfrastructureUnavailable',
      },
    ]);
    expect(world.order).toEqual(before);
  });

  test.each([14, 20])('is not written at %i minutes', async (minutes) => {
    const world = stuck(minutes, 'saga.start');
    await round(world);
    expect(world.deadLetters).toEqual([]);
  });

  test('is of run 0 where the order cannot even be read', async () => {
    const world = stuck(15, 'find order');
    await round(world);
    expect(world.deadLetters).toMatchObject([{ orderId: 'ord_1', run: 0 }]);
  });

  test('is written too where the order is only ever said to have changed', async () => {
    const world = stuck(15, 'save order', new ConcurrentUpdate('Busy.'));
    await round(world);
    expect(world.deadLetters).toMatchObject([{ orderId: 'ord_1', error: 'ConcurrentUpdate' }]);
  });

  test('is not written where somebody else has moved it on', async () => {
    const world = new World(orderIn('CREATED', { dueAtMs: NOW_MS - 15 * MINUTE_MS }));
    world.interfere = (call) => {
      if (call !== 'save order CREATED') return;
      world.put(orderIn('CREATED', { version: 8, writes: 18, dueAtMs: NOW_MS + 1 }));
    };
    await round(world);
    expect(world.order.version).toBe(8);
    expect(world.deadLetters).toEqual([]);
  });

  test('names the payment where that is what owes something', async () => {
    const world = new World(
      orderIn('PAYMENT_FAILED'),
      paymentIn('CAPTURED', {
        refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS - 30 * MINUTE_MS },
      }),
    );
    world.failAt('request compensation', NO_ANSWER);
    await round(world);
    expect(world.deadLetters).toEqual([
      {
        orderId: 'ord_1',
        run: 2,
        correlationId: 'corr-1',
        step: 'dispatch-due-work',
        error: 'InfrastructureUnavailable',
        paymentId: 'pay_1',
      },
    ]);
  });

  test('is one for each thing that is stuck, by its own time', async () => {
    const dueAtMs = NOW_MS - 15 * MINUTE_MS;
    const world = new World(
      orderIn('ORDER_FAILED', { releaseOwed: { revision: 3 }, dueAtMs: NOW_MS }),
      paymentIn('FAILED', { voidOwed: { dueAtMs } }),
      paymentIn('FAILED', { paymentId: 'pay_2', voidOwed: { dueAtMs } }),
    );
    world.failAt('request compensation', NO_ANSWER);
    await round(world);
    expect(world.deadLetters.map(({ paymentId }) => paymentId)).toEqual(['pay_1', 'pay_2']);
  });

  test('that the queue does not take keeps nobody else from being dispatched', async () => {
    const world = stuck(15, 'nothing');
    const other: Order = orderIn('CREATED', { orderId: 'ord_2' });
    world.put(other);
    world.interfere = (call) => {
      if (call === 'saga.start ord_1-2' || call.startsWith('dead letter')) throw NO_ANSWER;
    };
    expect((await round(world)).handled).toBe(1);
    expect(world.stored.get('ord_2')?.writes).toBe(18);
    expect(world.effects).toContain('dead letter dispatch-due-work InfrastructureUnavailable');
  });
});
