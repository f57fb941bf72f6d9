import { describe, expect, test } from 'vitest';
import { awaitOutcome } from '../../../../../lib/orders/http/payment-progress.ts';
import { orderIn, paymentIn, World } from '../fakes.ts';

const look = (world: World) => awaitOutcome(world.service, 'pay_1', 0);

describe('the progress of a payment', () => {
  test.each([
    ['PAYMENT_IN_PROGRESS', 'INITIATED', true],
    ['PAYMENT_IN_PROGRESS', 'PENDING', true],
    ['PAYMENT_IN_PROGRESS', 'CAPTURED', true],
    ['PAYMENT_IN_PROGRESS', 'DECLINED', true],
    ['PENDING_RESERVING_STOCK', 'INITIATED', true],
    ['PENDING_RESERVING_STOCK', 'VOIDED', false],
    ['PAYMENT_DONE', 'CAPTURED', false],
    ['PAYMENT_FAILED', 'DECLINED', false],
    ['PAYMENT_FAILED', 'REFUNDED', false],
  ] as const)('%s, %s: under way %s', async (status, paymentStatus, isUnderWay) => {
    const world = new World(orderIn(status), paymentIn(paymentStatus));
    expect(await look(world)).toEqual({ payment: paymentIn(paymentStatus), isUnderWay });
  });

  test('of an earlier payment is over, whatever the order does now', async () => {
    const world = new World(
      orderIn('PAYMENT_IN_PROGRESS', { paymentId: 'pay_2' }),
      paymentIn('VOIDED'),
    );
    expect(await look(world)).toMatchObject({ isUnderWay: false });
  });

  /*
   * saga:  refund owed ──────────► order PAYMENT_FAILED
   * look:  payment captured? ► order? ► payment again: never "captured, and over"
   */
  test('never shows a sale where the refund becomes owed in between', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('CAPTURED'));
    const owing = paymentIn('CAPTURED', { version: 5, refundOwed: { reason: 'RESERVATION_GONE' } });
    world.interfere = (call) => {
      if (call === 'find order ord_1') world.put(owing, orderIn('PAYMENT_FAILED', { version: 8 }));
    };
    expect(await look(world)).toEqual({ payment: owing, isUnderWay: false });
  });

  test('waits until the payment has its outcome', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('INITIATED'));
    let looks = 0;
    world.interfere = (call) => {
      if (call !== 'find order ord_1') return;
      looks += 1;
      if (looks === 3) world.put(orderIn('PAYMENT_DONE'), paymentIn('CAPTURED'));
    };
    expect(await awaitOutcome(world.service, 'pay_1', 10)).toEqual({
      payment: paymentIn('CAPTURED'),
      isUnderWay: false,
    });
  });
});
