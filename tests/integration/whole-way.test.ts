import { afterEach, describe, expect, test } from 'vitest';
import { lettersAbout, redriveNamed } from '../support/dlq.ts';
import { clearFaults, setFault, strikes } from '../support/fault-proxy.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import {
  Customer,
  call,
  changeProduct,
  chargesOf,
  newProduct,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import { asTimeGoesOn, eventually } from '../support/stack.ts';

// Uses only HTTP and the operator's tools, so that it also runs on a deployed stack.
const scene = new Scene({ RESERVATION_TTL_SECONDS: '60', PAYMENT_ACK_TIMEOUT_SECONDS: '10' });

const UNTIL_TAKEN_AWAY = 1000;

afterEach(async () => {
  await clearFaults(scene.stack);
});

function untilOrderIs(orderId: string, status: string): Promise<OrderDocument> {
  return asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, status), {
    stepSeconds: 1,
  });
}

async function chargeStatuses(orderId: string): Promise<string[]> {
  return (await chargesOf(scene.stack, orderId)).map(({ status }) => status);
}

async function place(quantity = 2): Promise<string> {
  const placed = await scene.user.place([{ productId: scene.productId, quantity }]);
  expect(placed.status, placed.text).toBe(202);
  return placed.order.orderId;
}

describe('an outage of Inventory', () => {
  test('that is over soon is not noticed', async () => {
    await setFault(scene.stack, 'http_503', 2);
    const orderId = await place();
    await untilOrderIs(orderId, 'PENDING_PAYMENT');
    expect(await strikes(scene.stack)).toBe(2);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
  });

  test('that loses an answer reserves once', async () => {
    await setFault(scene.stack, 'lost_response', 1);
    const orderId = await place();
    await untilOrderIs(orderId, 'PENDING_PAYMENT');
    expect(await strikes(scene.stack)).toBe(1);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
  });

  test('that outlasts all retries fails the order, and a redrive brings it to its end', async () => {
    await setFault(scene.stack, 'http_500', UNTIL_TAKEN_AWAY);
    const orderId = await place();
    const failed = await untilOrderIs(orderId, 'ORDER_FAILED');
    expect(failed.reason).toBe('INVENTORY_UNAVAILABLE');
    await clearFaults(scene.stack);

    const [letter] = await eventually(async () => {
      const letters = await lettersAbout(scene.stack, orderId);
      expect(letters.map(({ queue, step, run }) => [queue, step, run])).toEqual([
        ['saga', 'reserve-stock', 1],
      ]);
      return letters;
    });
    expect(await redriveNamed(scene.stack, letter?.id ?? '')).toEqual(['DONE RUN_AGAIN']);

    await untilOrderIs(orderId, 'PENDING_PAYMENT');
    expect(await lettersAbout(scene.stack, orderId)).toEqual([]);
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).status).toBe(200);
    await untilOrderIs(orderId, 'PAYMENT_DONE');
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/0/2');
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });

  test('during the release after a declined payment gives the stock back when it is over', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await setFault(scene.stack, 'http_500', 2);
    await scene.user.pay(orderId, 'tok_declined');
    await untilOrderIs(orderId, 'PAYMENT_FAILED');
    await asTimeGoesOn(scene.stack, async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    });
  });
});

test('the last piece goes to one of three who order it at once', async () => {
  const productId = await newProduct(1);
  const customers = await Promise.all([1, 2, 3].map(() => Customer.of(scene.stack)));
  const answers = await Promise.all(
    customers.map((customer) => customer.place([{ productId, quantity: 1 }], { wait: 10 })),
  );
  expect(answers.map(({ summary }) => summary).sort()).toEqual([
    '201 PENDING_PAYMENT',
    '422 OUT_OF_STOCK',
    '422 OUT_OF_STOCK',
  ]);
  expect(await stockLine(scene.stack, productId)).toBe('0/1/0');
});

test('a reservation whose time is up is given back, and the order can be tried again', async () => {
  const { orderId } = await scene.user.reserved(scene.productId, 2);
  const order = await untilOrderIs(orderId, 'ORDER_FAILED');
  expect(order.reason).toBe('RESERVATION_EXPIRED');
  await asTimeGoesOn(scene.stack, async () => {
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });
  const again = await scene.user.retryOrder(orderId, { wait: 10 });
  expect(again.summary, again.text).toBe('201 PENDING_PAYMENT');
  await scene.user.cancel(orderId);
});

test('an order of a product withdrawn for now can be tried again when it is back', async () => {
  await changeProduct(scene.stack, scene.productId, { active: false });
  const items = [{ productId: scene.productId, quantity: 2 }];
  const failed = await scene.user.place(items, { wait: 10 });
  expect(failed.summary).toBe('409 PRODUCT_UNAVAILABLE');
  await changeProduct(scene.stack, scene.productId, { active: true });

  const orderId = failed.problem.orderId ?? '';
  await scene.user.retryOrder(orderId);

  await untilOrderIs(orderId, 'PENDING_PAYMENT');
});

describe('a payment', () => {
  test('that is acknowledged later, twice, by webhook is captured once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.pay(orderId, 'tok_ack_twice');
    const paid = await untilOrderIs(orderId, 'PAYMENT_DONE');
    expect(paid.refunds).toEqual([]);
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });

  test('whose answer and acknowledgement are lost is found out', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.pay(orderId, 'tok_ack_lost');
    await untilOrderIs(orderId, 'PAYMENT_DONE');
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });

  test('that is never captured is voided, and a second one goes through', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.pay(orderId, 'tok_never_captured');
    await untilOrderIs(orderId, 'PAYMENT_FAILED');
    const retried = await eventually(async () => {
      const answer = await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
      expect(answer.summary, answer.text).toBe('200 CAPTURED');
      return answer.payment;
    });
    expect(retried.attempt).toBe(2);
    await untilOrderIs(orderId, 'PAYMENT_DONE');
    expect(await chargeStatuses(orderId)).toEqual(['VOIDED', 'CAPTURED']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/0/2');
  });
});

test.each([
  ['without a signature', {}],
  ['with a made-up one', { 'x-gateway-signature': `t=${String(Date.now())},v1=00` }],
])('an acknowledgement %s is refused', async (_what, headers) => {
  const event = { eventId: 'evt_forged', paymentId: 'pay_1', orderId: 'ord_1', status: 'CAPTURED' };
  const refused = await call(scene.stack, 'POST', '/payment/webhook', headers, event);
  expect(refused.status, refused.text).toBe(401);
});

test('at the end every promise holds, and the doctor finds nothing', async () => {
  await expectPromisesAtRest(scene.stack);
});
