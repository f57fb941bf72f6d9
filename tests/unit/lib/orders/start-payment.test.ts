import { describe, expect, test } from 'vitest';
import { startPayment } from '../../../../lib/orders/start-payment.ts';
import { orderIn, World } from './fakes.ts';

const REQUEST = {
  userId: 'alice',
  orderId: 'ord_1',
  methodToken: 'tok_ok',
  idempotencyKey: undefined as string | undefined,
};

describe('starting a payment', () => {
  test('keeps its method, then writes the order with its payment, then signals the wait', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    const { order, payment } = await startPayment(world.service, REQUEST);
    expect(world.effects).toEqual([
      'keep method tok_ok',
      'save order PAYMENT_IN_PROGRESS with payment INITIATED',
      'saga.signal user-wait',
    ]);
    expect(world.order).toEqual(order);
    expect(order.payments).toEqual([payment]);
  });

  // Without a key both requests derive the same payment id:
  //
  //   request 1   keeps tok_1 ──> writes the payment: charged with tok_1
  //   request 2   keeps tok_2 ──> refused, answers with the payment of request 1
  test('is charged with the token of the request that wrote it', async () => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    let second: Promise<unknown> | undefined;
    world.interfere = (call) => {
      if (call !== 'keep method tok_1') return;
      second = startPayment(world.service, { ...REQUEST, methodToken: 'tok_2' });
    };
    const { payment } = await startPayment(world.service, { ...REQUEST, methodToken: 'tok_1' });
    expect(await second).toMatchObject({ payment });
    expect(world.effects).toContain('keep method tok_2');
    const charged = 'methodId' in payment ? world.methods.get(payment.methodId) : undefined;
    expect(charged).toBe('tok_1');
  });
});
