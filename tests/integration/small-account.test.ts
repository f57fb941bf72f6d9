import { afterEach, describe, expect, test } from 'vitest';
import { expectPromisesAtRest, snapshotOf } from '../support/invariants.ts';
import { Customer, newProduct } from '../support/shop.ts';
import { asTimeGoesOn, eventually, startEmbeddedTestStack } from '../support/stack.ts';
import type { TestStack } from '../support/test-stack.ts';

const SETTINGS = {
  SCHEDULE_SECONDS: '3600',
  DUPLICATE_WINDOW_SECONDS: '0',
};

let stack: TestStack | undefined;

afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

interface Account {
  readonly concurrency: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly templateVariables?: Readonly<Record<string, string>>;
}

async function startAccount({ environment = {}, ...account }: Account): Promise<TestStack> {
  const started = await startEmbeddedTestStack({
    ...account,
    store: 'memory',
    environment: { ...SETTINGS, ...environment },
  });
  stack = started;
  return started;
}

/** Reserves orders of several users, and begins to pay all of them at once with `Prefer: wait=10`. */
async function waitForPayments(on: TestStack, users: number, ordersPerUser: number) {
  const productId = await newProduct(users * ordersPerUser);
  const unpaid: { readonly user: Customer; readonly orderId: string }[] = [];
  for (let begun = 0; begun < users; begun += 1) {
    const user = await Customer.of(on);
    for (let pieces = 0; pieces < ordersPerUser; pieces += 1) {
      const items = [{ productId, quantity: 1 }];
      const placed = await user.place(items, { key: `${user.userId}-${String(pieces)}` });
      unpaid.push({ user, orderId: placed.order.orderId });
    }
  }
  for (const { user, orderId } of unpaid) {
    await eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT'));
  }
  return unpaid.map(({ user, orderId }) => user.pay(orderId, 'tok_never_captured', { wait: 10 }));
}

/** Calls of others, three at a time. @returns the statuses of all answers, and the orders among them. */
async function callsOfOthers(on: TestStack) {
  const statuses: number[] = [];
  const orders: { readonly user: Customer; readonly orderId: string }[] = [];
  const shop = async () => {
    const user = await Customer.of(on);
    const productId = await newProduct(100);
    for (let call = 0; call < 8; call += 1) {
      const placed = await user.place([{ productId, quantity: call + 1 }]);
      statuses.push(placed.status);
      if (placed.status === 202) orders.push({ user, orderId: placed.order.orderId });
      for (const path of ['/product', '/order', `/product/${productId}`]) {
        statuses.push((await user.call('GET', path)).status);
      }
    }
  };
  await Promise.all([shop(), shop(), shop()]);
  return { statuses, orders };
}

async function expectOthersServed(on: TestStack): Promise<void> {
  const { statuses, orders } = await callsOfOthers(on);
  const answered = statuses.filter((status) => status < 500);
  expect(answered.length / statuses.length, statuses.join(' ')).toBeGreaterThanOrEqual(0.95);
  for (const { user, orderId } of orders) {
    await eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT'));
  }
}

/** Lets the payments end that nobody acknowledges. */
async function expectPromisesInTime(on: TestStack): Promise<void> {
  const arePaymentsOver = async () => {
    await on.runSchedules();
    await on.pollQueues();
    const { payments } = await snapshotOf(on);
    expect(payments.filter(({ status }) => /^(?:INITIATED|PENDING)$/.test(status))).toEqual([]);
  };
  await asTimeGoesOn(on, arePaymentsOver, { stepSeconds: 30 });
  await expectPromisesAtRest(on);
}

describe('payments that wait do not starve what they wait for, nor others', () => {
  test('in an account of 10 whose stage waits for nobody', async () => {
    const small = await startAccount({ concurrency: 10, environment: { MAX_WAIT_SECONDS: '0' } });
    const waiting = await waitForPayments(small, 1, 10);
    await expectOthersServed(small);
    const paid = await Promise.all(waiting);
    // Ten at once and their sagas are more than ten: what Lambda refuses is told to come back.
    expect(paid.map(({ status }) => status)).toContain(202);
    for (const { status, headers } of paid.filter(({ status }) => status !== 202)) {
      expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    }
    await expectPromisesInTime(small);
  });

  test('in an account of 200 with reserved concurrency', async () => {
    const account = await startAccount({
      concurrency: 200,
      templateVariables: {
        SAGA_RESERVED_CONCURRENCY: '4',
        INVENTORY_RESERVED_CONCURRENCY: '20',
        WEBHOOK_RESERVED_CONCURRENCY: '10',
        SCHEDULE_RESERVED_CONCURRENCY: '1',
      },
    });
    const waiting = await waitForPayments(account, 4, 10);
    await expectOthersServed(account);
    await Promise.all(waiting);
    await expectPromisesInTime(account);
  });

  test('an accepted order goes on even when waits hold every place that is not reserved', async () => {
    const account = await startAccount({
      // Ten places are left for the API.
      concurrency: 48 + 20 + 20 + 2 + 10,
      templateVariables: {
        SAGA_RESERVED_CONCURRENCY: '4',
        INVENTORY_RESERVED_CONCURRENCY: '20',
        WEBHOOK_RESERVED_CONCURRENCY: '10',
        SCHEDULE_RESERVED_CONCURRENCY: '1',
      },
    });
    const waiting = await waitForPayments(account, 1, 10);
    const paid = await Promise.all(waiting);
    // All ten ran at once, and each saga got to the gateway meanwhile.
    expect(paid.map(({ status }) => status)).toEqual(Array(10).fill(202));
    expect(paid.map(({ payment }) => payment.status)).toEqual(Array(10).fill('PENDING'));
    await expectPromisesInTime(account);
  });
});
