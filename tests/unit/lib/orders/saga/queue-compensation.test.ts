import { describe, expect, test } from 'vitest';
import { queueCompensation } from '../../../../../lib/orders/saga/queue-compensation.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const FAILED = paymentIn('FAILED', { voidOwed: { dueAtMs: NOW_MS } });

describe('handing over to the compensation queue', () => {
  test('leaves an order alone whose payment was voided for other items', async () => {
    const modification = { status: 'PENDING', items: [] } as const;
    const order = orderIn('PAYMENT_IN_PROGRESS', { modification });
    const world = new World(order, paymentIn('VOIDED'));
    await queueCompensation(world.service, RUN);
    expect(world.effects).toEqual([]);
    expect(world.order).toMatchObject({ ...order, payments: [paymentIn('VOIDED')] });
  });

  test('writes down what is owed before it sends', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('DECLINED'));
    await queueCompensation(world.service, RUN);
    expect(world.effects).toEqual(['save order PAYMENT_FAILED', 'request compensation ord_1']);
    expect(world.order).toMatchObject({
      status: 'PAYMENT_FAILED',
      releaseOwed: { revision: 3 },
      dueAtMs: NOW_MS + world.deadlines.obligationMs,
    });
    expect(world.compensations).toEqual([RUN]);
  });

  test('asks the queue once, though somebody else writes the order in between', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('DECLINED'));
    world.touchBefore('save order');
    await queueCompensation(world.service, RUN);
    expect(world.order.status).toBe('PAYMENT_FAILED');
    expect(world.compensations).toHaveLength(1);
  });

  test('is owed still where the queue does not take it', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), FAILED);
    world.failAt('request compensation', new Error('No queue.'));
    await expect(queueCompensation(world.service, RUN)).rejects.toThrow('No queue.');
    expect(world.order).toMatchObject({ status: 'PAYMENT_FAILED', releaseOwed: { revision: 3 } });
    expect(world.payment()).toEqual(FAILED);
  });

  test.each(['PENDING', 'CAPTURED'] as const)(
    'leaves an order whose payment is %s to its saga',
    async (status) => {
      const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn(status));
      await queueCompensation(world.service, RUN);
      expect(world.effects).toEqual([]);
    },
  );
});
