import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signatureOf } from '../../lib/payments/signatures.ts';
import { heal, httpCall, inject, refuseConnection } from '../support/faults.ts';
import type { Interleaving } from '../support/interleaving.ts';
import { expectOnly, manySchedules } from '../support/races.ts';
import { type Answer, Customer, call, newProduct } from '../support/shop.ts';
import { asTimeGoesOn, eventually, messagesIn, startTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

const RESERVATION_MS = 900_000;
const ACKNOWLEDGEMENT_MS = 180_000;
const SECRET = 'whsec_races_0123456789';

let stack: TestStack;

// A stack for each race, because each run checks the promises over all orders of its stack.
beforeEach(async () => {
  // The schedule never runs, so each race is against the state machine's own timer.
  stack = await startTestStack({ SCHEDULE_SECONDS: '3600', WEBHOOK_SECRETS: SECRET });
});

afterEach(() => stack.stop());

interface Scene {
  readonly customer: Customer;
  readonly orderId: string;
  readonly paymentId: string;
  readonly productId: string;
}

/** An order captured at the gateway, whose answer was lost: the saga waits for an acknowledgement. */
async function unacknowledged(): Promise<Scene> {
  const customer = await Customer.of(stack);
  const productId = await newProduct(10);
  const { orderId } = await customer.reserved(productId, 2);
  const { paymentId } = (await customer.pay(orderId, 'tok_ack_lost')).payment;
  await eventually(async () => {
    expect((await customer.payment(paymentId)).status).toBe('PENDING');
  });
  return { customer, orderId, paymentId, productId };
}

/** Like `unacknowledged`, but the gateway did not answer later either: given up, with a void owed. */
async function givenUp(): Promise<Scene> {
  inject(
    stack,
    { on: httpCall('GET', '/gateway/charges/'), act: refuseConnection },
    { on: httpCall('POST', '/void$'), act: refuseConnection },
  );
  const scene = await unacknowledged();
  await asTimeGoesOn(stack, () => scene.customer.expectStatus(scene.orderId, 'PAYMENT_FAILED'), {
    stepSeconds: 15,
  });
  heal(stack);
  return { ...scene, customer: await scene.customer.withFreshToken() };
}

let events = 0;

/** Delivers the gateway's signed acknowledgement of the capture, and waits until it is handled. */
async function acknowledge(scene: Scene): Promise<void> {
  const answer = await deliver(scene);
  expect(answer.status).toBe(202);
  // Watches the queue, because a read of the payment would be one more effect in the race.
  await eventually(() => {
    expect(messagesIn(stack, 'AcknowledgementQueue')).toEqual([]);
  });
}

function deliver({ orderId, paymentId }: Scene): Promise<Answer> {
  events += 1;
  const nowMs = stack.clock.now();
  const body = JSON.stringify({
    eventId: `evt_race_${String(events)}`,
    type: 'charge.updated',
    paymentId,
    orderId,
    status: 'CAPTURED',
    occurredAt: new Date(nowMs).toISOString(),
  });
  const headers = { 'x-gateway-signature': signatureOf(body, [SECRET], nowMs) };
  return call(stack, 'POST', '/payment/webhook', headers, body);
}

/** Shorter than every function's time-out, so that only the timer in question falls due. */
const MOMENT_MS = 1000;

/** Prepares a scene shortly before a timer fires. */
async function justBefore<Scene>(scene: Scene, timerMs: number): Promise<Scene> {
  await stack.clock.advance(timerMs - MOMENT_MS);
  return scene;
}

/** Lets the timer fire at some point among the effects. */
async function momentPasses(schedule: Interleaving): Promise<void> {
  await schedule.turn('time passes');
  stack.clock.skip(MOMENT_MS);
}

/** Final state of the order and its first payment; lets time pass as needed. */
async function ends({ customer, orderId, paymentId }: Scene): Promise<string> {
  const settled = ['PAYMENT_DONE', 'PAYMENT_FAILED', 'ORDER_FAILED'];
  const order = await asTimeGoesOn(stack, async () => {
    const user = await customer.withFreshToken();
    const payment = await user.payment(paymentId);
    const seen = await user.expectStatus(orderId, ...settled);
    // A capture without a sale is refunded.
    expect(['REFUNDED', seen.status === 'PAYMENT_DONE' ? 'CAPTURED' : 'VOIDED']).toContain(
      payment.status,
    );
    return seen;
  });
  const { status } = await (await customer.withFreshToken()).payment(paymentId);
  return `${order.status} ${status}`;
}

describe('whatever the schedule', () => {
  test('an acknowledgement against the time-out of its wait ends in one sale', async () => {
    const outcomes = await manySchedules(
      stack,
      async () => justBefore(await unacknowledged(), ACKNOWLEDGEMENT_MS),
      (scene, schedule) => [() => acknowledge(scene), () => momentPasses(schedule)],
      ends,
    );
    expectOnly(outcomes, 'PAYMENT_DONE CAPTURED');
  });

  test('an acknowledgement against a modification: sold as it was ordered', async () => {
    const outcomes = await manySchedules(
      stack,
      unacknowledged,
      (scene) => [
        () => acknowledge(scene),
        () =>
          scene.customer.call('PUT', `/order/${scene.orderId}`, {
            items: [{ productId: scene.productId, quantity: 1 }],
          }),
      ],
      ends,
    );
    expectOnly(outcomes, 'PAYMENT_DONE CAPTURED');
  });

  test('a late capture against a second payment: one sale, the first refunded', async () => {
    const outcomes = await manySchedules(
      stack,
      givenUp,
      (scene) => [
        () => acknowledge(scene),
        () =>
          scene.customer.call('POST', '/retrypayment', {
            orderId: scene.orderId,
            paymentMethod: { token: 'tok_ok' },
          }),
      ],
      ends,
    );
    // Refused while it was unknown if the first payment was captured, or accepted afterwards. Its refund may come last.
    expectOnly(
      outcomes,
      'PAYMENT_FAILED REFUNDED',
      'PAYMENT_DONE REFUNDED',
      'PAYMENT_DONE CAPTURED',
    );
  });

  test('paying against the end of the reservation: sold or failed, never both', async () => {
    const outcomes = await manySchedules(
      stack,
      async () => {
        const customer = await Customer.of(stack);
        const { orderId } = await customer.reserved(await newProduct(10), 2);
        return justBefore({ customer, orderId }, RESERVATION_MS);
      },
      ({ customer, orderId }, schedule) => [
        () => customer.pay(orderId, 'tok_ok'),
        () => momentPasses(schedule),
      ],
      async ({ customer, orderId }) => {
        const user = await customer.withFreshToken();
        return asTimeGoesOn(
          stack,
          async () =>
            (await user.expectStatus(orderId, 'PAYMENT_DONE', 'ORDER_FAILED', 'PAYMENT_FAILED'))
              .status,
        );
      },
    );
    expectOnly(outcomes, 'PAYMENT_DONE', 'ORDER_FAILED', 'PAYMENT_FAILED');
  });
});
