import { describe, expect, test } from 'vitest';
import { giveUpPayment } from '../../../../../lib/orders/saga/give-up-payment.ts';
import { PaymentCaptured } from '../../../../../lib/orders/saga/signals.ts';
import type { Payment } from '../../../../../lib/payments/payment.ts';
import { InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World } from '../fakes.ts';

const paying = (payment: Payment = paymentIn('INITIATED')) =>
  new World(orderIn('PAYMENT_IN_PROGRESS'), payment);

describe('giving a payment up', () => {
  test('fails it with its void owed and leaves a dead letter', async () => {
    const world = paying(paymentIn('PENDING'));
    await giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' });
    expect(world.effects).toEqual([
      'save payment FAILED',
      'dead letter settle-payment GatewayUnavailable',
    ]);
    expect(world.deadLetters).toEqual([
      { ...RUN, step: 'settle-payment', error: 'GatewayUnavailable' },
    ]);
    expect(world.payment()).toMatchObject({
      code: 'PAYMENT_UNCONFIRMED',
      voidOwed: { dueAtMs: NOW_MS + 30_000 },
    });
  });

  test('leaves no letter as long as the payment cannot be written', async () => {
    const world = paying(paymentIn('PENDING'));
    world.failAt('save payment', new InfrastructureUnavailable('No database.'));
    await expect(
      giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' }),
    ).rejects.toBeInstanceOf(InfrastructureUnavailable);
    expect(world.deadLetters).toEqual([]);
  });

  test('whose letter was not taken sends it when it is repeated', async () => {
    const world = paying(paymentIn('PENDING'));
    world.failAt('dead letter', new InfrastructureUnavailable('No queue.'));
    await expect(
      giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' }),
    ).rejects.toBeInstanceOf(InfrastructureUnavailable);
    world.interfere = () => undefined;
    await giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' });
    expect(world.deadLetters).toHaveLength(1);
    expect(world.payment()).toMatchObject({
      status: 'FAILED',
      voidOwed: { dueAtMs: NOW_MS + 30_000 },
    });
  });

  test('meets a capture in its own write, and goes on to confirm it', async () => {
    const world = paying(paymentIn('PENDING'));
    world.interfere = (call) => {
      if (call === 'save payment FAILED') world.put(paymentIn('CAPTURED'));
    };
    await expect(
      giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' }),
    ).rejects.toBeInstanceOf(PaymentCaptured);
    expect(world.payment()).toEqual(paymentIn('CAPTURED'));
  });

  test.each([
    ['declined', paymentIn('DECLINED')],
    [
      'to be refunded',
      paymentIn('CAPTURED', { refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS } }),
    ],
  ])('that is %s by now leaves it to be compensated', async (_what, payment) => {
    const world = paying(payment);
    await giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' });
    expect(world.payment()).toEqual(payment);
  });

  test.each(['PENDING_RESERVING_STOCK', 'PAYMENT_DONE', 'PAYMENT_FAILED'] as const)(
    'of an order that is %s leaves only the dead letter of what was used up',
    async (status) => {
      const world = new World(orderIn(status), paymentIn('PENDING'));
      await giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' });
      expect(world.effects).toEqual(['dead letter settle-payment GatewayUnavailable']);
    },
  );

  test('leaves a capture that came in meanwhile, and goes on to confirm it', async () => {
    const world = paying(paymentIn('CAPTURED'));
    await expect(
      giveUpPayment(world.service, { ...RUN, failure: 'GatewayUnavailable' }),
    ).rejects.toBeInstanceOf(PaymentCaptured);
    expect(world.payment()).toEqual(paymentIn('CAPTURED'));
  });
});
