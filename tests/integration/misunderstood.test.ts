import { describe, expect, test } from 'vitest';
import {
  answerWith,
  anyInventoryCall,
  type Fault,
  heal,
  httpCall,
  inject,
} from '../support/faults.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import { chargesOf, stockLine } from '../support/shop.ts';
import { asTimeGoesOn, eventually, executions, messagesIn } from '../support/stack.ts';

// One outage that is counted would open the circuit, and stop the other orders.
const scene = new Scene({
  CIRCUIT_MIN_CALLS: '1',
  CIRCUIT_MIN_ORDERS: '1',
  INVENTORY_CIRCUIT_PAUSE_SECONDS: '600',
  RESERVATION_TTL_SECONDS: '7200',
  SCHEDULE_SECONDS: '3600',
});

const reserving = httpCall('PUT', '/inventory/reservation/');
const ANSWERS: [string, Fault['act']][] = [
  ['400', answerWith(400, {}, { code: 'BAD_REQUEST' })],
  ['401', answerWith(401, {}, { code: 'UNAUTHENTICATED' })],
  ['403', answerWith(403, {}, { Message: 'Forbidden' })],
  ['404', answerWith(404, {}, { message: 'Not Found' })],
  ['413', answerWith(413, {}, '<html>')],
  ['200 with something else', answerWith(200, {}, '<html>')],
];

function expectLetter(orderId: string, step: string): Promise<void> {
  return eventually(() => {
    const letters = messagesIn(scene.stack, 'SagaDeadLetterQueue');
    expect(letters.filter((letter) => letter['orderId'] === orderId)).toEqual([
      expect.objectContaining({ step, error: 'InventoryMisunderstood' }),
    ]);
  });
}

describe('an answer of Inventory that nobody understands', () => {
  test.each(ANSWERS)(
    '%s, fails the step of its order at once, and no other',
    async (_what, act) => {
      const fault = inject(scene.stack, { on: reserving, times: 1, act });
      const items = [{ productId: scene.productId, quantity: 2 }];
      const { orderId } = (await scene.user.place(items)).order;

      const order = await asTimeGoesOn(scene.stack, () =>
        scene.user.expectStatus(orderId, 'ORDER_FAILED'),
      );
      expect(order.reason).toBe('INVENTORY_UNAVAILABLE');
      expect(fault.strikes).toBe(1);
      await expectLetter(orderId, 'reserve-stock');
      expect(await executions(scene.stack, orderId)).toHaveLength(1);

      const headers = { 'x-allow-duplicate': 'true', prefer: 'wait=10' };
      expect((await scene.user.place(items, { headers })).status).toBe(201);
      await eventually(async () => {
        expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
      });
    },
  );

  test('to a confirmation leaves the capture owed, and the next run confirms it', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(scene.stack, { on: httpCall('POST', '/confirm$'), act: answerWith(403) });
    await scene.user.pay(orderId, 'tok_ok');
    await expectLetter(orderId, 'confirm-order');
    await scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');

    heal(scene.stack);
    await scene.inTime(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect(await chargesOf(scene.stack, orderId)).toHaveLength(1);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });

  test('to a release leaves it owed, and the queue goes on', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const fault = inject(scene.stack, {
      on: httpCall('DELETE', '/inventory/reservation/'),
      times: 2,
      act: answerWith(404),
    });
    await scene.user.cancel(orderId);
    await scene.inTime(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    });
    expect(fault.strikes).toBe(2);
  });

  test('to a change of a declined order is told to its user, and to nobody else', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await scene.user.pay(orderId, 'tok_declined');
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
    inject(scene.stack, { on: httpCall('GET', '/product/'), act: answerWith(401) });
    const items = [{ productId: scene.productId, quantity: 2 }];
    for (let time = 0; time < 20; time += 1) {
      expect((await scene.user.modify(orderId, items)).summary).toBe('503 INVENTORY_UNAVAILABLE');
    }
    await scene.user.reserved(scene.productId, 3);
  });
});

test('a product id that is no part of a URL is one of no product, however often it is asked for', async () => {
  const { orderId } = await scene.user.reserved(scene.productId);
  await scene.user.pay(orderId, 'tok_declined');
  await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
  const calls = inject(scene.stack, {
    on: (effect) => anyInventoryCall(effect) || httpCall('GET', '/product/')(effect),
    act: (proceed) => proceed(),
  });
  for (const productId of ['.', '..', '../health', 'a/b', '%2e']) {
    for (let time = 0; time < 4; time += 1) {
      const refused = await scene.user.modify(orderId, [{ productId, quantity: 1 }]);
      expect(refused.summary).toBe('422 UNKNOWN_PRODUCT');
    }
  }
  expect(calls.strikes).toBe(0);
  heal(scene.stack);
  await scene.user.reserved(scene.productId, 3);
});

test('at the end every promise holds', async () => {
  await scene.stack.runSchedules();
  await scene.inTime(() => expectPromisesAtRest(scene.stack));
});
