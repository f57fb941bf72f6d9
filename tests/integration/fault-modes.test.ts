import { afterEach, describe, expect, test } from 'vitest';
import type { FaultMode } from '../../local/companion/faults/fault-modes.ts';
import { clearFaults, setFault, strikes } from '../support/fault-proxy.ts';
import { after, httpCall, inject } from '../support/faults.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import { chargesOf, inventoryCall, type OrderDocument, stockLine } from '../support/shop.ts';
import { asTimeGoesOn, executions, messagesIn } from '../support/stack.ts';

const scene = new Scene({
  RESERVATION_TTL_SECONDS: '7200',
  SCHEDULE_SECONDS: '3600',
  // Real time: the cost of each call struck by `timeout`, and more than a normal call takes.
  INVENTORY_TIMEOUT_MS: '500',
});

afterEach(async () => {
  await clearFaults(scene.stack);
});

function untilOrderIs(orderId: string, status: string): Promise<OrderDocument> {
  return asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, status), {
    stepSeconds: 1,
  });
}

function statuses({ history }: OrderDocument): string[] {
  return history.map(({ to }) => to);
}

async function chargeStatuses(orderId: string): Promise<string[]> {
  return (await chargesOf(scene.stack, orderId)).map(({ status }) => status);
}

async function expectNoDeadLetter(orderId: string): Promise<void> {
  expect(await executions(scene.stack, orderId)).toHaveLength(1);
  const letters = ['SagaDeadLetterQueue', 'CompensationQueue', 'CompensationDeadLetterQueue']
    .flatMap((queue) => messagesIn(scene.stack, queue))
    .filter((letter) => letter['orderId'] === orderId);
  expect(letters).toEqual([]);
}

describe.each<[mode: FaultMode, times: number]>([
  ['timeout', 2],
  ['http_500', 3],
  ['http_502', 3],
  ['http_503', 3],
  ['throttled', 3],
  ['restarting', 3],
  ['cache_timeout', 3],
  ['lock_contention', 3],
  ['reset', 3],
  ['lost_response', 3],
])('%s, %i times', (mode, times) => {
  /** Sets the fault just before the matching call; earlier calls are unaffected. */
  function setFaultAt(method: string, path: string): void {
    const act = after(() => setFault(scene.stack, mode, times));
    inject(scene.stack, { on: httpCall(method, path), times: 1, act });
  }

  test('during the reservation: reserved once, and then paid', async () => {
    await setFault(scene.stack, mode, times);
    const { order: placed } = await scene.user.place([{ productId: scene.productId, quantity: 2 }]);
    const { orderId } = placed;

    const reserved = await untilOrderIs(orderId, 'PENDING_PAYMENT');

    expect(await strikes(scene.stack)).toBe(times);
    expect(statuses(reserved)).toEqual(['CREATED', 'PENDING_RESERVING_STOCK', 'PENDING_PAYMENT']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    expect((await inventoryCall(scene.stack, 'GET', orderId)).json).toMatchObject({
      status: 'HELD',
      revision: 1,
      items: [{ productId: scene.productId, quantity: 2 }],
    });

    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
    await untilOrderIs(orderId, 'PAYMENT_DONE');
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/0/2');
    await expectNoDeadLetter(orderId);
  });

  test('during the confirmation of a captured payment: paid, and charged once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    setFaultAt('POST', '/confirm$');
    await scene.user.pay(orderId, 'tok_ok');

    const paid = await untilOrderIs(orderId, 'PAYMENT_DONE');

    expect(await strikes(scene.stack)).toBe(times);
    expect(statuses(paid).slice(2)).toEqual([
      'PENDING_PAYMENT',
      'PAYMENT_IN_PROGRESS',
      'PAYMENT_DONE',
    ]);
    expect(paid.refunds).toEqual([]);
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/0/2');
    await expectNoDeadLetter(orderId);
  });

  test('during the release after a declined payment: failed, and the stock is back', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    setFaultAt('DELETE', '/inventory/reservation/');
    await scene.user.pay(orderId, 'tok_declined');

    const failed = await untilOrderIs(orderId, 'PAYMENT_FAILED');

    expect(await strikes(scene.stack)).toBe(times);
    expect(statuses(failed).slice(2)).toEqual([
      'PENDING_PAYMENT',
      'PAYMENT_IN_PROGRESS',
      'PAYMENT_FAILED',
    ]);
    expect(failed.reason).toBe('DECLINED');
    expect(await chargeStatuses(orderId)).toEqual(['DECLINED']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    await expectNoDeadLetter(orderId);
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
