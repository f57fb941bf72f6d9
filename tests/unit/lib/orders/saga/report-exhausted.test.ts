import { describe, expect, test } from 'vitest';
import {
  reportExhausted,
  sendDeadLetter,
} from '../../../../../lib/orders/saga/report-exhausted.ts';
import { InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, RUN, World } from '../fakes.ts';

const EXHAUSTED = { ...RUN, step: 'confirm-order', failure: 'InventoryTimeout' };
const LATER_MS = NOW_MS + 2 * 3_600_000;

describe('ending an exhausted run', () => {
  test('leaves a dead letter, then looks at the order again soon', async () => {
    const order = orderIn('PAYMENT_IN_PROGRESS', { dueAtMs: LATER_MS });
    const world = new World(order);
    await reportExhausted(world.service, EXHAUSTED);
    expect(world.effects).toEqual([
      'dead letter confirm-order InventoryTimeout',
      'save order PAYMENT_IN_PROGRESS',
    ]);
    expect(world.deadLetters).toEqual([
      { ...RUN, step: 'confirm-order', error: 'InventoryTimeout' },
    ]);
    expect(world.order).toEqual({ ...order, writes: 18, dueAtMs: NOW_MS + 60_000 });
  });

  test.each([
    [1, 30],
    [2, 60],
    [3, 120],
    [6, 960],
    [8, 3600],
    [50, 3600],
  ])('in run %i is due again in %i s', async (run, seconds) => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS', { run, dueAtMs: LATER_MS }));
    await reportExhausted(world.service, { ...EXHAUSTED, run });
    expect(world.order).toMatchObject({ run, dueAtMs: NOW_MS + seconds * 1000 });
  });

  test.each([NOW_MS - 1, NOW_MS + 59_999, NOW_MS + 60_000])(
    'never pushes back what is due sooner: %i',
    async (dueAtMs) => {
      const order = orderIn('PAYMENT_IN_PROGRESS', { dueAtMs });
      const world = new World(order);
      await reportExhausted(world.service, EXHAUSTED);
      expect(world.effects).toEqual(['dead letter confirm-order InventoryTimeout']);
      expect(world.order).toEqual(order);
    },
  );

  test('leaves an order alone that a newer run has taken over', async () => {
    const order = orderIn('PAYMENT_IN_PROGRESS', { run: 3, dueAtMs: LATER_MS });
    const world = new World(order);
    await reportExhausted(world.service, EXHAUSTED);
    expect(world.deadLetters).toHaveLength(1);
    expect(world.order).toEqual(order);
  });

  test.each(['PAYMENT_DONE', 'ORDER_FAILED', 'ORDER_CANCELLED'] as const)(
    'makes nothing due that owes nothing: %s',
    async (status) => {
      const world = new World(orderIn(status));
      await reportExhausted(world.service, EXHAUSTED);
      expect(world.order).toEqual(orderIn(status));
    },
  );

  test('decides anew where somebody else writes the order at the same moment', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS', { dueAtMs: LATER_MS }));
    world.interfere = (call) => {
      if (call === 'save order PAYMENT_IN_PROGRESS') {
        world.put(orderIn('PAYMENT_DONE', { version: 8, writes: 18 }));
      }
    };
    await reportExhausted(world.service, EXHAUSTED);
    expect(world.order).toEqual(orderIn('PAYMENT_DONE', { version: 8, writes: 18 }));
    expect(world.deadLetters).toHaveLength(1);
  });

  test('is repeated where the dead letter was not taken', async () => {
    const order = orderIn('PAYMENT_IN_PROGRESS', { dueAtMs: LATER_MS });
    const world = new World(order);
    world.failAt('dead letter', new InfrastructureUnavailable('No queue.'));
    await expect(reportExhausted(world.service, EXHAUSTED)).rejects.toBeInstanceOf(
      InfrastructureUnavailable,
    );
    expect(world.order).toEqual(order);
  });
});

test('ending an exhausted run that cannot be written leaves one letter, and the deadline', async () => {
  const order = orderIn('PAYMENT_IN_PROGRESS', { dueAtMs: LATER_MS });
  const world = new World(order);
  world.failAt('save order', new InfrastructureUnavailable('No database.'));
  await reportExhausted(world.service, EXHAUSTED);
  expect(world.deadLetters).toHaveLength(1);
  expect(world.order).toEqual(order);
});

describe('reporting only', () => {
  test('changes nothing of the order', async () => {
    const order = orderIn('PAYMENT_IN_PROGRESS', { dueAtMs: LATER_MS });
    const world = new World(order);
    await sendDeadLetter(world.service, EXHAUSTED);
    expect(world.effects).toEqual(['dead letter confirm-order InventoryTimeout']);
    expect(world.order).toEqual(order);
  });
});
