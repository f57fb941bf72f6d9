import { expect, test } from 'vitest';
import { callsPerSecond } from '../../local/companion/faults/calls-per-second.ts';
import {
  anyGatewayCall,
  databaseCall,
  heal,
  httpCall,
  type Injected,
  inject,
  injectAtInvocation,
  refuseForLoad,
  throttle,
  throttled,
} from '../support/faults.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import { Customer, chargesOf, newProduct } from '../support/shop.ts';
import { asTimeGoesOn, messagesIn } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

const ORDERS = 132;
const CALLS_A_SECOND = 4;
/** Half as long again as the limit needs. */
const ENOUGH_SECONDS = (1.5 * ORDERS) / CALLS_A_SECOND;

// The circuit of the defaults: 20 calls, half of them, 5 orders.
const scene = new Scene({
  CIRCUIT_MIN_CALLS: '20',
  MAX_OPEN_ORDERS_PER_USER: '40',
  RESERVATION_TTL_SECONDS: '7200',
  SCHEDULE_SECONDS: '3600',
});

/** Lets so many calls of one kind through in a second, and refuses all others as their service does. */
const LIMITS: readonly [string, (stack: TestStack) => Injected][] = [
  [
    'Inventory',
    (stack) => {
      const act = throttled(CALLS_A_SECOND, stack.clock);
      return inject(stack, { on: httpCall('PUT', '/inventory/reservation/'), act });
    },
  ],
  [
    "Inventory's table",
    (stack) => {
      const act = throttled(CALLS_A_SECOND, stack.clock, refuseForLoad);
      return inject(stack, { on: databaseCall('TransactWriteItems', 'inventory'), act });
    },
  ],
  [
    'Lambda',
    (stack) => {
      const callsThisSecond = callsPerSecond(stack.clock);
      return injectAtInvocation(stack, {
        on: (functionKey) => functionKey === 'reserveStock',
        act: () => (callsThisSecond() > CALLS_A_SECOND ? throttle() : Promise.resolve()),
      });
    },
  ],
];

test.each(LIMITS)('where %s is throttled, every order is reserved', async (_what, limit) => {
  const productId = await newProduct(ORDERS);
  const limited = limit(scene.stack);
  const beganMs = scene.stack.clock.now();
  let user = scene.user;
  const users = new Map<string, Customer>();
  for (let order = 0; order < ORDERS; order += 1) {
    // A user may have 40 open orders.
    if (order % 26 === 0) user = await Customer.of(scene.stack);
    const headers = { 'x-allow-duplicate': 'true' };
    const placed = await user.place([{ productId, quantity: 1 }], { headers });
    expect(placed.status).toBe(202);
    users.set(placed.order.orderId, user);
    if (order % 26 === 25) await scene.stack.clock.advance(1000);
  }

  const decidedMs = await asTimeGoesOn(
    scene.stack,
    async () => {
      const times: number[] = [];
      for (const [orderId, owner] of users) {
        const { history } = await owner.expectStatus(orderId, 'PENDING_PAYMENT');
        times.push(Date.parse(history.at(-1)?.at ?? ''));
      }
      return Math.max(...times) - beganMs;
    },
    { stepSeconds: 10 },
  );

  // Some were refused, and came again.
  expect(limited.strikes).toBeGreaterThan(ORDERS);
  expect(decidedMs / 1000).toBeLessThanOrEqual(ENOUGH_SECONDS);
  expect(messagesIn(scene.stack, 'SagaDeadLetterQueue')).toEqual([]);
});

test('a throttled gateway charges every order, once', async () => {
  const productId = await newProduct(36);
  const orderIds: string[] = [];
  for (let order = 0; order < 36; order += 1) {
    const headers = { 'x-allow-duplicate': 'true', prefer: 'wait=10' };
    const placed = await scene.user.place([{ productId, quantity: 1 }], { headers });
    orderIds.push(placed.order.orderId);
  }
  inject(scene.stack, {
    on: anyGatewayCall,
    act: throttled(1, scene.stack.clock),
  });
  for (const orderId of orderIds) {
    expect((await scene.user.pay(orderId, 'tok_ok')).status).toBe(202);
  }
  await asTimeGoesOn(
    scene.stack,
    async () => {
      for (const orderId of orderIds) await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
    },
    { stepSeconds: 10 },
  );
  heal(scene.stack);
  expect(messagesIn(scene.stack, 'SagaDeadLetterQueue')).toEqual([]);
  const charges = await Promise.all(orderIds.map((orderId) => chargesOf(scene.stack, orderId)));
  expect(charges.map(({ length }) => length)).toEqual(orderIds.map(() => 1));
});

test('at the end every promise holds', async () => {
  await scene.stack.runSchedules();
  await scene.inTime(() => expectPromisesAtRest(scene.stack));
});
