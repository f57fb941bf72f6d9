import { beforeEach, describe, expect, test } from 'vitest';
import {
  after,
  anyGatewayCall,
  heal,
  held,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
  stateMachineCall,
} from '../support/faults.ts';
import { expectPromisesAtRest, storedOrder } from '../support/invariants.ts';
import { eur, modifying, of, standing } from '../support/modify.ts';
import { Scene } from '../support/scene.ts';
import {
  type Answer,
  Customer,
  changeProduct,
  type Items,
  newProduct,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import { asTimeGoesOn, eventually } from '../support/stack.ts';

const RESERVATION_TTL_MS = 1_800_000;

// The schedule never runs by itself; the tests run its functions.
const scene = new Scene({ RESERVATION_TTL_SECONDS: '1800', SCHEDULE_SECONDS: '3600' });
const { charges, payInFull, dispatchedUntil, decided } = modifying(scene);
let otherId: string;

beforeEach(async () => {
  otherId = await newProduct(10);
});

const charging = httpCall('POST', '/gateway/charges$');

function replayed(answer: Answer): boolean {
  return answer.headers.get('idempotent-replayed') === 'true';
}

async function stockLines(): Promise<string> {
  return `${await stockLine(scene.stack, scene.productId)} ${await stockLine(scene.stack, otherId)}`;
}

/** An order whose payment is under way, with its outcome unknown. */
async function paying(token: string, quantity = 2): Promise<OrderDocument> {
  const { orderId } = await scene.user.reserved(scene.productId, quantity);
  const { paymentId } = (await scene.user.pay(orderId, token)).payment;
  await eventually(async () => {
    expect((await scene.user.payment(paymentId)).status).toBe('PENDING');
  });
  return scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');
}

async function paymentFailed(quantity = 2): Promise<OrderDocument> {
  const { orderId } = await scene.user.reserved(scene.productId, quantity);
  const answer = await scene.user.pay(orderId, 'tok_declined', { wait: 10 });
  expect(answer.summary).toBe('402 PAYMENT_DECLINED');
  return scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
}

describe('an order that is being paid', () => {
  test('and can still be voided is changed, and then paid once', async () => {
    const before = await paying('tok_never_captured');
    const { orderId } = before;
    await changeProduct(scene.stack, scene.productId, { unitPrice: eur(1500) });
    await changeProduct(scene.stack, otherId, { unitPrice: eur(700) });

    const answer = await scene.user.modify(
      orderId,
      [...of(scene.productId, 1), ...of(otherId, 1)],
      {
        wait: 10,
      },
    );

    expect(answer.summary, answer.text).toBe('200 PENDING_PAYMENT');
    expect(answer.order).toMatchObject({
      total: eur(1700),
      modification: { status: 'APPLIED', code: null },
      reservationExpiresAt: before.reservationExpiresAt,
    });
    expect(answer.order.history.slice(4).map(({ to, reason }) => `${to} ${reason}`)).toEqual([
      'PENDING_RESERVING_STOCK PAYMENT_VOIDED',
      'PENDING_PAYMENT STOCK_RESERVED',
    ]);
    expect(await scene.user.payment(before.paymentId ?? '')).toMatchObject({ status: 'VOIDED' });
    expect(await stockLines()).toBe('9/1/0 9/1/0');
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      revision: 2,
      heldRevision: 2,
      run: 1,
      attempt: 1,
      modifications: 1,
    });
    await payInFull(orderId, 1700);
    expect(await charges(orderId)).toEqual(['VOIDED 2000', 'CAPTURED 1700']);
    expect((await storedOrder(scene.stack, orderId)).attempt).toBe(2);
  });

  test('and was captured already is not changed', async () => {
    const before = await paying('tok_ack_lost');
    const { orderId } = before;

    const answer = await scene.user.modify(orderId, of(scene.productId, 5), { wait: 10 });

    expect(answer.summary, answer.text).toBe('409 MODIFICATION_REJECTED');
    expect(answer.problem.reason).toBe('PAYMENT_ALREADY_CAPTURED');
    const order = await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect(order).toMatchObject({
      items: before.items,
      total: eur(2000),
      modification: { status: 'REJECTED', code: 'PAYMENT_ALREADY_CAPTURED' },
      refunds: [],
    });
    expect(await charges(orderId)).toEqual(['CAPTURED 2000']);
    expect(await stockLines()).toBe('8/0/2 10/0/0');
  });

  test.each([
    ['tok_ok', 'PAYMENT_DONE', 'REJECTED', ['CAPTURED 2000'], '8/0/2 10/0/0'],
    ['tok_declined', 'PAYMENT_FAILED', 'REJECTED', ['DECLINED 2000'], '10/0/0 10/0/0'],
    ['tok_never_captured', 'PENDING_PAYMENT', 'APPLIED', ['VOIDED 2000'], '5/5/0 10/0/0'],
  ])('and is changed just before %s is charged becomes %s', async (...row) => {
    const [token, status, outcome, charged, stock] = row;
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const answers: Answer[] = [];
    inject(scene.stack, {
      on: charging,
      times: 1,
      act: after(async () =>
        answers.push(await scene.user.modify(orderId, of(scene.productId, 5))),
      ),
    });

    await scene.user.pay(orderId, token);

    const order = await eventually(() => scene.user.expectStatus(orderId, status));
    expect(answers.map(({ summary }) => summary)).toEqual(['202 PAYMENT_IN_PROGRESS']);
    expect(order.modification?.status).toBe(outcome);
    expect(await charges(orderId)).toEqual(charged);
    expect(await stockLines()).toBe(stock);
    if (status === 'PENDING_PAYMENT') await payInFull(orderId, 5000);
  });

  test('and was not charged yet is never charged at the old total', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    inject(scene.stack, {
      on: stateMachineCall('SendTaskSuccess'),
      times: 1,
      act: refuseConnection,
    });
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ok')).payment;

    const answer = await scene.user.modify(orderId, of(scene.productId, 5));

    expect(answer.summary).toBe('202 PAYMENT_IN_PROGRESS');
    expect(answer.order).toMatchObject({ total: eur(2000), modification: { status: 'PENDING' } });
    await dispatchedUntil(orderId, 'PENDING_PAYMENT');
    expect(await scene.user.payment(paymentId)).toMatchObject({ status: 'VOIDED' });
    expect(await charges(orderId)).toEqual([]);
    await payInFull(orderId, 5000);
  });

  test('through a gateway that does not answer for a while is asked about again', async () => {
    const { orderId } = await paying('tok_never_captured');
    const outage = inject(scene.stack, { on: anyGatewayCall, times: 3, act: refuseConnection });

    await scene.user.modify(orderId, of(scene.productId, 5));
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'),
      {
        stepSeconds: 1,
      },
    );

    expect(outage.strikes).toBe(3);
    expect(order).toMatchObject({ total: eur(5000), modification: { status: 'APPLIED' } });
    await payInFull(orderId, 5000);
    expect(await charges(orderId)).toEqual(['VOIDED 2000', 'CAPTURED 5000']);
  });

  test('through a gateway whose void was done but not answered is changed', async () => {
    const { orderId } = await paying('tok_never_captured');
    const lost = inject(scene.stack, { on: httpCall('POST', '/void$'), times: 2, act: loseAnswer });
    await scene.user.modify(orderId, of(scene.productId, 5));
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'), {
      stepSeconds: 1,
    });
    // The second look finds the payment voided, and does not void it again.
    expect(lost.strikes).toBe(1);
    await payInFull(orderId, 5000);
  });

  test('through a gateway that stays away fails, and the change with it', async () => {
    const { orderId, paymentId } = await paying('tok_never_captured');
    inject(scene.stack, { on: anyGatewayCall, act: refuseConnection });

    await scene.user.modify(orderId, of(scene.productId, 5));
    const order = await asTimeGoesOn(scene.stack, () =>
      scene.user.expectStatus(orderId, 'PAYMENT_FAILED'),
    );

    expect(order).toMatchObject({
      reason: 'PAYMENT_UNCONFIRMED',
      total: eur(2000),
      modification: { status: 'REJECTED', code: 'PAYMENT_UNCONFIRMED' },
    });
    expect(await stockLines()).toBe('10/0/0 10/0/0');
    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.pollQueues();
      expect((await scene.user.payment(paymentId ?? '')).status).toBe('VOIDED');
    });
    expect(await charges(orderId)).toEqual(['VOIDED 2000']);
  });

  test('and whose new items are refused can be paid as it was', async () => {
    const before = await paying('tok_never_captured');
    const { orderId } = before;

    const answer = await scene.user.modify(orderId, of(scene.productId, 11), { wait: 10 });

    expect(answer.summary).toBe('409 MODIFICATION_REJECTED');
    expect(answer.problem.reason).toBe('OUT_OF_STOCK');
    const order = await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    expect(standing(order)).toEqual(standing(before));
    expect(await stockLines()).toBe('8/2/0 10/0/0');
    await payInFull(orderId, 2000);
    expect(await charges(orderId)).toEqual(['VOIDED 2000', 'CAPTURED 2000']);
  });

  test('and whose time is up by then gets no more of it', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.stack.clock.advance(RESERVATION_TTL_MS - 30_000);
    const { paymentId } = (await scene.user.pay(orderId, 'tok_never_captured')).payment;
    await eventually(async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('PENDING');
    });
    await scene.stack.clock.advance(40_000);
    await scene.freshToken();

    const answer = await scene.user.modify(orderId, of(scene.productId, 5));

    expect(answer.summary).toBe('202 PAYMENT_IN_PROGRESS');
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'ORDER_FAILED'),
      {
        stepSeconds: 1,
      },
    );
    expect(order.reason).toBe('RESERVATION_EXPIRED');
    await eventually(async () => {
      expect(await stockLines()).toBe('10/0/0 10/0/0');
    });
    expect(await charges(orderId)).toEqual(['VOIDED 2000']);
  });

  test('can be changed once at a time', async () => {
    const { orderId } = await paying('tok_never_captured');
    const gateway = held();
    inject(scene.stack, { on: anyGatewayCall, act: gateway.act });
    const first = await scene.user.modify(orderId, of(scene.productId, 5));
    expect(first.summary).toBe('202 PAYMENT_IN_PROGRESS');

    const second = await scene.user.modify(orderId, of(scene.productId, 4));

    expect(second.summary).toBe('409 MODIFICATION_PENDING');
    expect(second.problem.orderId).toBe(orderId);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
    gateway.letGo();
    const order = await decided(orderId, 'APPLIED');
    expect(order.total).toEqual(eur(5000));
    await payInFull(orderId, 5000);
  });
});

describe('an order whose payment failed', () => {
  test('is changed at once, and the retried payment charges its new total', async () => {
    const before = await paymentFailed();
    const { orderId } = before;
    await changeProduct(scene.stack, scene.productId, { unitPrice: eur(1500) });
    await changeProduct(scene.stack, otherId, { unitPrice: eur(700) });

    const answer = await scene.user.modify(orderId, [...of(scene.productId, 1), ...of(otherId, 2)]);

    expect(answer.summary, answer.text).toBe('200 PAYMENT_FAILED');
    expect(answer.order).toMatchObject({
      version: before.version + 1,
      total: eur(2400),
      items: [
        { productId: scene.productId, quantity: 1, unitPrice: eur(1000) },
        { productId: otherId, quantity: 2, unitPrice: eur(700) },
      ],
      modification: { status: 'APPLIED', code: null },
      history: before.history,
    });
    expect(await scene.user.order(orderId)).toEqual(answer.order);
    expect(await stockLines()).toBe('10/0/0 10/0/0');
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      revision: 2,
      modifications: 1,
    });
    // The charge is the total shown now, even if the products' prices change.
    await changeProduct(scene.stack, otherId, { unitPrice: eur(9900) });
    const retried = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(retried.summary, retried.text).toBe('200 CAPTURED');
    expect(retried.payment.amount).toEqual(eur(2400));
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 2400']);
    expect(await stockLines()).toBe('9/0/1 8/0/2');
  });

  test.each<[string, () => Items | Promise<Items>]>([
    ['UNKNOWN_PRODUCT', () => [...of(scene.productId, 1), ...of('prod-nowhere', 1)]],
    ['PRODUCT_UNAVAILABLE', async () => of(await newProduct(5, { active: false }), 1)],
    [
      'MIXED_CURRENCIES',
      async () => [...of(scene.productId, 1), ...of(await newProduct(5, { currency: 'USD' }), 1)],
    ],
    ['BAD_QUANTITY', () => of(scene.productId, 0)],
    ['OUT_OF_STOCK', () => of(scene.productId, 11)],
  ])('refuses a change as %s and stays as it is', async (code, items) => {
    const before = await paymentFailed();
    const answer = await scene.user.modify(before.orderId, await items());
    const status = code === 'PRODUCT_UNAVAILABLE' ? 409 : 422;
    expect(answer.summary, answer.text).toBe(`${String(status)} ${code}`);
    expect(answer.problem.orderId).toBe(before.orderId);
    expect(await scene.user.order(before.orderId)).toEqual(before);
  });

  test('cannot be changed while Inventory cannot be asked, and stays as it is', async () => {
    const before = await paymentFailed();
    inject(scene.stack, { on: httpCall('GET', '/product/'), times: 1, act: refuseConnection });
    const answer = await scene.user.modify(before.orderId, of(otherId, 1), { key: 'm1' });
    expect(answer.summary).toBe('503 INVENTORY_UNAVAILABLE');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await scene.user.order(before.orderId)).toEqual(before);
    // A 5xx response is not stored for its key.
    const again = await scene.user.modify(before.orderId, of(otherId, 1), { key: 'm1' });
    expect([again.summary, replayed(again)]).toEqual(['200 PAYMENT_FAILED', false]);
  });

  test('changed to what somebody else buys fails again when the payment is retried', async () => {
    const { orderId } = await paymentFailed();
    expect((await scene.user.modify(orderId, of(scene.productId, 10))).status).toBe(200);
    await (await Customer.of(scene.stack)).reserved(scene.productId, 1);
    const retried = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    expect(retried.summary).toBe('402 PAYMENT_FAILED');
    expect(retried.problem.reason).toBe('OUT_OF_STOCK');
    await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(await charges(orderId)).toEqual(['DECLINED 2000']);
    expect((await scene.user.modify(orderId, of(scene.productId, 9))).status).toBe(200);
    expect((await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 })).status).toBe(200);
    expect(await charges(orderId)).toEqual(['DECLINED 2000', 'CAPTURED 9000']);
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
