import { describe, expect, test } from 'vitest';
import { sleep } from '../../lib/platform/clock.ts';
import {
  after,
  answerWith,
  anyGatewayCall,
  anyInventoryCall,
  dieAfter,
  heal,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
} from '../support/faults.ts';
import { expectPromisesAtRest, scan, snapshotOf } from '../support/invariants.ts';
import { chargedLate } from '../support/late.ts';
import { Scene } from '../support/scene.ts';
import { type Answer, chargesOf, inventoryCall, stockLine } from '../support/shop.ts';
import { abortExecution, asTimeGoesOn, eventually, messagesIn } from '../support/stack.ts';

const SOMEBODY_ELSES = {
  paymentId: 'pay_of_somebody_else',
  status: 'CAPTURED',
  amount: { amount: 2000, currency: 'EUR' },
};
const RESERVATION_TTL_MS = 900_000;
const ACK_TIMEOUT_MS = 180_000;

// The schedule never runs by itself; the tests run its functions.
const scene = new Scene({ SCHEDULE_SECONDS: '3600' });

async function chargeStatuses(orderId: string): Promise<string[]> {
  return (await chargesOf(scene.stack, orderId)).map(({ status }) => status);
}

async function paymentsOf(orderId: string): Promise<string[]> {
  const { payments } = await snapshotOf(scene.stack);
  return payments.filter((one) => one.orderId === orderId).map(({ status }) => status);
}

test.each([
  ['tok_ok', 'PAYMENT_DONE'],
  ['tok_declined', 'PAYMENT_FAILED'],
] as const)('the token %s is removed as soon as its payment settles', async (token, status) => {
  const { orderId } = await scene.user.reserved(scene.productId);
  await scene.user.pay(orderId, token, { wait: 10 });
  await scene.user.expectStatus(orderId, status);
  const items = await scan(scene.stack, 'OrdersTable');
  const methods = items.filter(({ pk }) => String(pk).startsWith('METHOD#'));
  expect(methods.map((method) => method['token'])).not.toContain(token);
});

describe('ten payments of one order at once', () => {
  async function payTenTimes(key: (index: number) => string | undefined): Promise<Answer[]> {
    const { orderId } = await scene.user.reserved(scene.productId);
    // The gateway is slow, so that the payment is still open when the other requests look again.
    const { clock } = scene.stack;
    inject(scene.stack, { on: anyGatewayCall, act: after(() => sleep(clock, 500)) });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        scene.user.pay(orderId, 'tok_ok', { key: key(index), wait: 10 }),
      ),
    );
    await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
    expect(await paymentsOf(orderId)).toEqual(['CAPTURED']);
    return answers;
  }

  test('without keys charge once, and each is answered with that payment', async () => {
    const answers = await payTenTimes(() => undefined);
    expect(answers.map(({ summary }) => summary)).toEqual(answers.map(() => '200 CAPTURED'));
    expect(new Set(answers.map(({ payment }) => payment.paymentId)).size).toBe(1);
  });

  test('with ten keys charge once, and each is answered with that payment', async () => {
    const answers = await payTenTimes((index) => `p${String(index)}`);
    expect(answers.map(({ summary }) => summary)).toEqual(answers.map(() => '200 CAPTURED'));
    expect(new Set(answers.map(({ payment }) => payment.paymentId)).size).toBe(1);
  });

  test('with one key charge once, and none is told of another payment', async () => {
    const answers = await payTenTimes(() => 'p1');
    const paid = answers.filter(({ summary }) => summary === '200 CAPTURED');
    const waiting = answers.filter(({ summary }) => summary === '409 REQUEST_IN_PROGRESS');
    expect(paid.length).toBeGreaterThan(0);
    expect(paid.length + waiting.length).toBe(10);
    expect(new Set(paid.map(({ payment }) => payment.paymentId)).size).toBe(1);
  });
});

describe('a payment by', () => {
  test.each([
    ['tok_insufficient_funds', 'INSUFFICIENT_FUNDS'],
    ['tok_declined', 'DECLINED'],
    ['tok_that_nobody_issued', 'INVALID_PAYMENT_METHOD'],
  ])('%s is declined, and everything is rolled back', async (token, code) => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);

    const answer = await scene.user.pay(orderId, token, { wait: 10 });

    expect(answer.summary).toBe('402 PAYMENT_DECLINED');
    expect(await scene.user.payment(answer.problem.paymentId ?? '')).toMatchObject({
      status: 'DECLINED',
      code,
    });
    const order = await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(order).toMatchObject({ reason: code, refunds: [], paymentUrl: null });
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    expect(await chargeStatuses(orderId)).toEqual(['DECLINED']);
  });

  test.each(['tok_wrong_amount', 'tok_wrong_currency'])(
    '%s captures something else: it goes back as it was captured, and no goods are given',
    async (token) => {
      const { orderId } = await scene.user.reserved(scene.productId, 2);
      const answer = await scene.user.pay(orderId, token, { wait: 10 });
      expect(answer.summary).toBe('402 PAYMENT_FAILED');
      const order = await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
      expect(order.reason).toBe('AMOUNT_MISMATCH');
      await eventually(async () => {
        expect(await chargeStatuses(orderId)).toEqual(['REFUNDED']);
        expect(await paymentsOf(orderId)).toEqual(['REFUNDED']);
      });
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    },
  );

  test.each([
    ['about another payment', answerWith(200, {}, SOMEBODY_ELSES)],
    ['that redirects', answerWith(302, { location: 'https://elsewhere.example/' }, SOMEBODY_ELSES)],
    ['without a charge', answerWith(200, {}, { status: 'CAPTURED' })],
  ])('an answer %s is none: the gateway is asked by the id of the payment', async (_what, act) => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, { on: httpCall('POST', '/charges$'), act });
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ok')).payment;
    await eventually(async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('PENDING');
    });
    await scene.stack.clock.advance(ACK_TIMEOUT_MS + 1000);
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
    expect(await chargeStatuses(orderId)).toEqual([]);
    expect(await paymentsOf(orderId)).toEqual(['VOIDED']);
  });

  test('tok_refused is refused before there is a charge: nobody waits for it', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const answer = await scene.user.pay(orderId, 'tok_refused', { wait: 10 });
    expect(answer.summary).toBe('402 PAYMENT_FAILED');
    await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(await chargeStatuses(orderId)).toEqual([]);
    expect(await paymentsOf(orderId)).toEqual(['VOIDED']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    expect((await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 })).summary).toBe(
      '200 CAPTURED',
    );
  });

  test('a gateway that answers 503 twice is tried again and captured', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await scene.user.pay(orderId, 'tok_flaky');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_DONE'), {
      stepSeconds: 1,
    });
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });

  test('a method whose answer is lost is captured, once, when the gateway is asked', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ack_lost')).payment;
    await eventually(async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('PENDING');
    });
    await scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');

    await scene.stack.clock.advance(ACK_TIMEOUT_MS + 1000);

    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });

  test('a method that is pending for ever is voided after its time-out', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 3);
    const { paymentId } = (await scene.user.pay(orderId, 'tok_never_captured', { wait: 1 }))
      .payment;
    await scene.stack.clock.advance(ACK_TIMEOUT_MS - 10_000);
    await scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');
    expect(await stockLine(scene.stack, scene.productId)).toBe('7/3/0');

    await scene.stack.clock.advance(20_000);

    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
    expect((await scene.user.payment(paymentId)).status).toBe('VOIDED');
    expect(await chargeStatuses(orderId)).toEqual(['VOIDED']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });

  test('a method whose gateway is down is given up and can never be charged', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const { paymentId } = (await scene.user.pay(orderId, 'tok_gateway_down')).payment;

    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'), {
      stepSeconds: 15,
    });

    expect((await scene.user.payment(paymentId)).status).toBe('VOIDED');
    expect(await chargeStatuses(orderId)).toEqual([]);
    const late = await fetch(`${scene.stack.environment['GATEWAY_URL'] ?? ''}/charges`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': paymentId },
      body: JSON.stringify({
        orderId,
        amount: { amount: 1000, currency: 'EUR' },
        paymentMethod: { token: 'tok_ok' },
      }),
    });
    expect(await late.json()).toMatchObject({ status: 'VOIDED' });
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });

  test('a gateway that is reached again only later is voided then', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(scene.stack, { on: anyGatewayCall, act: refuseConnection });
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ok')).payment;
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'), {
      stepSeconds: 15,
    });
    expect(await scene.user.order(orderId)).toMatchObject({ reason: 'PAYMENT_UNCONFIRMED' });
    expect(await scene.user.payment(paymentId)).toMatchObject({
      status: 'FAILED',
      code: 'PAYMENT_UNCONFIRMED',
    });
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    expect(messagesIn(scene.stack, 'SagaDeadLetterQueue')).toContainEqual({
      orderId,
      run: 1,
      correlationId: expect.any(String),
      step: 'settle-payment',
      error: 'GatewayUnknown',
      at: expect.any(String),
    });

    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('VOIDED');
    });
    expect(await chargeStatuses(orderId)).toEqual([]);
  });

  test('a gateway that captured and then fell silent until given up is refunded once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(
      scene.stack,
      { on: httpCall('POST', '/gateway/charges$'), times: 1, act: loseAnswer },
      { on: anyGatewayCall, act: refuseConnection },
    );
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ok')).payment;
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'), {
      stepSeconds: 15,
    });
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);

    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('REFUNDED');
    });

    expect(await chargeStatuses(orderId)).toEqual(['REFUNDED']);
    const order = await scene.user.order(orderId);
    expect(order).toMatchObject({ status: 'PAYMENT_FAILED', reason: 'PAYMENT_UNCONFIRMED' });
    expect(order.refunds).toEqual([
      expect.objectContaining({ paymentId, amount: { amount: 1000, currency: 'EUR' } }),
    ]);
  });

  test('a step that died right after the charge is asked about and kept', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const died = inject(scene.stack, {
      on: httpCall('POST', '/gateway/charges$'),
      times: 1,
      act: dieAfter,
    });
    await scene.user.pay(orderId, 'tok_ok');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_DONE'), {
      stepSeconds: 15,
    });
    expect(died.strikes).toBe(1);
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });
});

describe('paying is refused with 409', () => {
  test('before the stock is reserved, with when to come back', async () => {
    inject(scene.stack, { on: anyInventoryCall, act: refuseConnection });
    const { orderId } = (await scene.user.place([{ productId: scene.productId, quantity: 1 }]))
      .order;
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));

    const refused = await scene.user.pay(orderId, 'tok_ok');

    expect(refused.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.problem.orderId).toBe(orderId);
    heal(scene.stack);
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'), {
      stepSeconds: 1,
    });
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });

  test('when the order is paid, and charges nothing', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
    const refused = await scene.user.pay(orderId, 'tok_ok', { wait: 10, key: 'again' });
    expect(refused.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });

  test('when the last payment failed', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await scene.user.pay(orderId, 'tok_declined', { wait: 10 });
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe(
      '409 ILLEGAL_TRANSITION',
    );
    expect(await chargeStatuses(orderId)).toEqual(['DECLINED']);
  });

  test('when the order is INVALID', async () => {
    const invalid = await scene.user.place([{ productId: scene.productId, quantity: 11 }], {
      wait: 10,
    });
    const refused = await scene.user.pay(invalid.problem.orderId ?? '', 'tok_ok');
    expect(refused.summary).toBe('409 ILLEGAL_TRANSITION');
  });

  test('when the reservation ran out and nobody has noticed yet', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await abortExecution(scene.stack, orderId);
    await scene.stack.clock.advance(RESERVATION_TTL_MS);
    const late = await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    expect(late.paymentUrl).toBeNull();
    expect(late.links).not.toHaveProperty('pay');

    expect((await scene.user.pay(orderId, 'tok_ok')).summary).toBe('409 RESERVATION_EXPIRED');

    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.runSchedules();
      await scene.user.expectStatus(orderId, 'ORDER_FAILED');
    });
    expect((await scene.user.pay(orderId, 'tok_ok')).summary).toBe('409 ILLEGAL_TRANSITION');
    expect(await chargeStatuses(orderId)).toEqual([]);
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });
});

describe('a reservation that is gone', () => {
  const release = async (orderId: string) => {
    const released = await inventoryCall(scene.stack, 'DELETE', `${orderId}?revision=1`);
    expect(released.summary).toBe('200 RELEASED');
  };

  test('before a late charge ends the payment without calling the gateway', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await release(orderId);
    const charges = { asked: 0 };
    inject(scene.stack, chargedLate(orderId), {
      on: httpCall('POST', '/gateway/charges$'),
      act: (proceed) => {
        charges.asked += 1;
        return proceed();
      },
    });

    const answer = await scene.user.pay(orderId, 'tok_ok', { wait: 10 });

    expect(answer.summary).toBe('402 PAYMENT_FAILED');
    await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(await scene.user.order(orderId)).toMatchObject({
      reason: 'RESERVATION_EXPIRED',
      refunds: [],
    });
    expect(charges.asked).toBe(0);
    expect(await chargeStatuses(orderId)).toEqual([]);
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });

  test('between capture and confirmation is refunded exactly once, and shown', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const refunds: string[] = [];
    inject(
      scene.stack,
      { on: httpCall('POST', '/confirm$'), times: 1, act: after(() => release(orderId)) },
      {
        on: httpCall('POST', '/refund$'),
        act: (proceed, { target }) => {
          refunds.push(target);
          return proceed();
        },
      },
    );

    const answer = await scene.user.pay(orderId, 'tok_ok', { wait: 10 });

    expect(answer.summary).toBe('402 PAYMENT_FAILED');
    const paymentId = answer.problem.paymentId ?? '';
    await eventually(async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('REFUNDED');
    });
    expect((await scene.user.payment(paymentId)).history.map(({ to }) => to)).toEqual([
      'INITIATED',
      'CAPTURED',
      'REFUNDED',
    ]);
    const order = await scene.user.order(orderId);
    expect(order).toMatchObject({ status: 'PAYMENT_FAILED', reason: 'RESERVATION_GONE' });
    expect(order.refunds).toEqual([
      expect.objectContaining({ paymentId, amount: { amount: 1000, currency: 'EUR' } }),
    ]);
    expect(refunds).toHaveLength(1);
    expect(await chargeStatuses(orderId)).toEqual(['REFUNDED']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });

  test('after capture is refunded once though the answer to the refund is lost', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const lost = inject(
      scene.stack,
      { on: httpCall('POST', '/confirm$'), times: 1, act: after(() => release(orderId)) },
      { on: httpCall('POST', '/refund$'), times: 2, act: loseAnswer },
    );
    await scene.user.pay(orderId, 'tok_ok');
    await asTimeGoesOn(
      scene.stack,
      async () => {
        expect(await scene.user.order(orderId)).toMatchObject({
          status: 'PAYMENT_FAILED',
          refunds: [expect.anything()],
        });
      },
      { stepSeconds: 1 },
    );
    expect(lost.strikes).toBe(3);
    expect(await chargeStatuses(orderId)).toEqual(['REFUNDED']);
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
