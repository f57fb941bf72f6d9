import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Effect } from '../../lib/platform/effects.ts';
import { dieAfter, dieBefore, type Fault, heal, inject } from '../support/faults.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { type Answer, Customer, chargesOf, newProduct, stockLine } from '../support/shop.ts';
import { asTimeGoesOn, startTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ PAYMENT_ACK_TIMEOUT_SECONDS: '30' });
});

afterAll(async () => {
  await stack.stop();
});

/** Takes an order through its whole life, with a crash at its n-th effect. */
async function liveThrough(token: string, act: Fault['act'], n: number): Promise<string[]> {
  const user = await Customer.of(stack);
  const productId = await newProduct(10);
  const killed: string[] = [];
  inject(
    stack,
    { on: isOfTheOrder, times: n, act: (proceed) => proceed() },
    {
      on: isOfTheOrder,
      times: 1,
      act: (proceed, effect) => {
        killed.push(`${effect.kind} ${effect.operation} ${effect.target}`);
        return act(proceed, effect);
      },
    },
  );

  const items = [{ productId, quantity: 2 }];
  const { orderId } = (await untilAnswered(() => user.place(items, { key: 'place' }))).json as {
    orderId: string;
  };
  await asTimeGoesOn(stack, () => user.expectStatus(orderId, 'PENDING_PAYMENT'));
  const paying = await untilAnswered(() => user.pay(orderId, token, { key: 'pay' }));
  const order = await asTimeGoesOn(stack, () =>
    user.expectStatus(orderId, 'PAYMENT_DONE', 'PAYMENT_FAILED'),
  );
  heal(stack);

  const where = `${String(n)}: ${killed.join()}`;
  expect([200, 202, 402], where).toContain(paying.status);
  const isPaid = order.status === 'PAYMENT_DONE';
  if (token === 'tok_declined') expect(isPaid, where).toBe(false);
  await asTimeGoesOn(stack, async () => {
    expect(await stockLine(stack, productId), where).toBe(isPaid ? '8/0/2' : '10/0/0');
  });
  const captured = (await chargesOf(stack, orderId)).filter(({ status }) => status === 'CAPTURED');
  expect(captured, where).toHaveLength(isPaid ? 1 : 0);
  return killed;
}

/** Excludes the queries for due work, because they belong to no single order. */
function isOfTheOrder({ operation }: Effect): boolean {
  return operation !== 'Query';
}

/** Retries a request with its key until there is a definite response. */
function untilAnswered(send: () => Promise<Answer>): Promise<Answer> {
  return asTimeGoesOn(
    stack,
    async () => {
      const answer = await send();
      expect(answer.status, answer.text).toBeLessThan(500);
      // The first request may still hold the key.
      expect(answer.status, answer.text).not.toBe(409);
      return answer;
    },
    { stepSeconds: 5, limitSeconds: 60 },
  );
}

describe.each<[string, string, Fault['act']]>([
  ['paid', 'before', dieBefore],
  ['paid', 'after', dieAfter],
  ['declined', 'after', dieAfter],
])('an order to be %s survives a crash right %s', (kind, _when, act) => {
  // Two tests share the effects, because all of them take half a minute on a busy machine.
  test.each([
    ['first, third, fifth', 0],
    ['second, fourth, sixth', 1],
  ])('its %s … effect', async (_which, first) => {
    const token = kind === 'paid' ? 'tok_ok' : 'tok_declined';
    const points: string[] = [];
    for (let n = first; ; n += 2) {
      const killed = await liveThrough(token, act, n);
      if (killed.length === 0) break;
      points.push(...killed);
    }
    expect(points.length).toBeGreaterThan(10);
    await expectPromisesAtRest(stack);
  });
});
