import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectOnly, manySchedules } from '../support/races.ts';
import { type Answer, Customer, changeProduct, newProduct } from '../support/shop.ts';
import { eventually, startTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

let stack: TestStack;

// A stack for each race, because each run checks the promises over all orders of its stack.
beforeEach(async () => {
  stack = await startTestStack({ DISPATCH_AFTER_SECONDS: '5' });
});

afterEach(() => stack.stop());

async function reservedOrder() {
  const customer = await Customer.of(stack);
  const productId = await newProduct(10);
  const { orderId } = await customer.reserved(productId, 2);
  return { customer, productId, orderId };
}

async function failedPayment() {
  const scene = await reservedOrder();
  const answer = await scene.customer.pay(scene.orderId, 'tok_declined', { wait: 10 });
  expect(answer.status).toBe(402);
  return scene;
}

type Scene = Awaited<ReturnType<typeof reservedOrder>>;

const cancel = ({ customer, orderId }: Scene) =>
  customer.call('POST', `/order/cancelorder/${orderId}`);
const modify = ({ customer, orderId, productId }: Scene, quantity: number, wait?: number) =>
  customer.call(
    'PUT',
    `/order/${orderId}`,
    { items: [{ productId, quantity }] },
    wait === undefined ? {} : { wait },
  );
const retryPayment = ({ customer, orderId }: Scene, token: string) =>
  customer.call('POST', '/retrypayment', { orderId, paymentMethod: { token } });

/** The statuses of the responses, then the order's status at rest. */
function settled(...statuses: readonly string[]) {
  return async ({ customer, orderId }: Scene, answers: readonly unknown[]): Promise<string> => {
    const order = await eventually(() => customer.expectStatus(orderId, ...statuses));
    const codes = answers.map((answer) =>
      answer !== undefined ? String((answer as Answer).status) : 'done',
    );
    return [...codes, order.status].join(' ');
  };
}

describe('exactly one wins, whatever the schedule', () => {
  test('cancel against pay', async () => {
    const outcomes = await manySchedules(
      stack,
      reservedOrder,
      (scene) => [() => cancel(scene), () => scene.customer.pay(scene.orderId, 'tok_ok')],
      settled('ORDER_CANCELLED', 'PAYMENT_DONE'),
    );
    expectOnly(outcomes, '200 409 ORDER_CANCELLED', '409 202 PAYMENT_DONE');
  });

  test('cancel against a modification', async () => {
    const outcomes = await manySchedules(
      stack,
      reservedOrder,
      (scene) => [() => cancel(scene), () => modify(scene, 3)],
      settled('ORDER_CANCELLED'),
    );
    expectOnly(outcomes, '200 409 ORDER_CANCELLED', '200 202 ORDER_CANCELLED');
  });

  test('cancel against the steps of the saga', async () => {
    const outcomes = await manySchedules(
      stack,
      async () => {
        const customer = await Customer.of(stack);
        return { customer, productId: await newProduct(10), orderId: '' };
      },
      (scene) => [
        async () => {
          const { order } = await scene.customer.place([
            { productId: scene.productId, quantity: 2 },
          ]);
          scene.orderId = order.orderId;
          return cancel(scene);
        },
      ],
      settled('ORDER_CANCELLED'),
    );
    expectOnly(outcomes, '200 ORDER_CANCELLED');
  });

  test('pay against a modification', async () => {
    const outcomes = await manySchedules(
      stack,
      reservedOrder,
      (scene) => [() => scene.customer.pay(scene.orderId, 'tok_ok'), () => modify(scene, 3)],
      settled('PENDING_PAYMENT', 'PAYMENT_DONE'),
    );
    expectOnly(
      outcomes,
      // The modification came first, or early enough to have the payment voided.
      '409 202 PENDING_PAYMENT',
      '202 202 PENDING_PAYMENT',
      // The payment came first; the API or the saga refused the modification.
      '202 202 PAYMENT_DONE',
      '202 409 PAYMENT_DONE',
    );
  });

  test('two modifications', async () => {
    const outcomes = await manySchedules(
      stack,
      reservedOrder,
      (scene) => [() => modify(scene, 3), () => modify(scene, 4)],
      settled('PENDING_PAYMENT'),
    );
    expectOnly(
      outcomes,
      '202 409 PENDING_PAYMENT',
      '409 202 PENDING_PAYMENT',
      // Both succeeded, one after the other.
      '202 202 PENDING_PAYMENT',
    );
  });

  test('two retries of a payment', async () => {
    const outcomes = await manySchedules(
      stack,
      failedPayment,
      (scene) => [() => retryPayment(scene, 'tok_ok'), () => retryPayment(scene, 'tok_ok')],
      settled('PAYMENT_DONE'),
    );
    expectOnly(outcomes, '202 202 PAYMENT_DONE', '202 409 PAYMENT_DONE', '409 202 PAYMENT_DONE');
  });

  test('a retried payment against cancel', async () => {
    const outcomes = await manySchedules(
      stack,
      failedPayment,
      (scene) => [() => retryPayment(scene, 'tok_ok'), () => cancel(scene)],
      settled('PAYMENT_DONE', 'ORDER_CANCELLED'),
    );
    expectOnly(
      outcomes,
      '202 409 PAYMENT_DONE',
      '202 200 ORDER_CANCELLED',
      '409 200 ORDER_CANCELLED',
    );
  });

  test('two retries of an order', async () => {
    const outcomes = await manySchedules(
      stack,
      async () => {
        const customer = await Customer.of(stack);
        const productId = await newProduct(10, { active: false });
        const answer = await customer.place([{ productId, quantity: 2 }], { wait: 10, key: 'k' });
        expect(answer.summary).toBe('409 PRODUCT_UNAVAILABLE');
        await changeProduct(stack, productId, { active: true });
        return { customer, productId, orderId: answer.problem.orderId ?? '' };
      },
      (scene) => {
        const retry = () =>
          scene.customer.call('POST', `/order/retryorder/${scene.orderId}`, undefined, {});
        return [retry, retry];
      },
      settled('PENDING_PAYMENT'),
    );
    expectOnly(
      outcomes,
      '202 202 PENDING_PAYMENT',
      '201 202 PENDING_PAYMENT',
      '202 201 PENDING_PAYMENT',
    );
  });

  test('two schedules, a payment and a cancellation at once', async () => {
    const outcomes = await manySchedules(
      stack,
      reservedOrder,
      (scene) => [
        () => cancel(scene),
        () => scene.customer.pay(scene.orderId, 'tok_flaky'),
        () => stack.runSchedules(),
        () => stack.runSchedules(),
      ],
      settled('ORDER_CANCELLED', 'PAYMENT_DONE'),
    );
    expectOnly(outcomes, '200 409 done done ORDER_CANCELLED', '409 202 done done PAYMENT_DONE');
  });
});
