import { describe, expect, test } from 'vitest';
import { DUE_SHARDS, shardName } from '../../lib/platform/dynamo/items.ts';
import { deriveId, shardOf } from '../../lib/platform/ids.ts';
import { consultDoctor, type StoredItem, tamper } from '../support/doctor.ts';
import { after, heal, httpCall, inject, refuseConnection } from '../support/faults.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import {
  Customer,
  chargesOf,
  inventoryCall,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import { abortExecution, eventually, executions } from '../support/stack.ts';

/** The schedule never runs, so nothing is repaired before the doctor comes. */
const scene = new Scene({ SCHEDULE_SECONDS: '3600', RESERVATION_TTL_SECONDS: '120' });

/** Longer than three rounds of the schedule. */
const LONG_MS = 4 * 60 * 60 * 1000;

interface Planted {
  readonly orderId?: string;
  readonly productId?: string;
}

/** The doctor's findings about one order or product: `charge-status FOUND`. */
async function saysOf(planted: Planted, fix = false): Promise<string[]> {
  const { verdicts } = await consultDoctor(scene.stack, { fix });
  return verdicts
    .filter(({ disagreement: { orderId, productId } }) =>
      planted.orderId === undefined ? productId === planted.productId : orderId === planted.orderId,
    )
    .map(({ disagreement, outcome }) => `${disagreement.check} ${outcome}`)
    .sort();
}

// Orders to tamper with

const waiting = () =>
  scene.user.reserved(scene.productId, 1, { headers: { 'x-allow-duplicate': 'true' } });

async function paid(): Promise<OrderDocument> {
  const { orderId } = await waiting();
  await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
  return eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
}

async function declined(): Promise<OrderDocument> {
  const { orderId } = await waiting();
  await scene.user.pay(orderId, 'tok_declined', { wait: 10 });
  return eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
}

/** An order whose payment was captured, and refunded because its stock was gone. */
async function refunded(): Promise<OrderDocument> {
  const { orderId } = await waiting();
  const release = () => inventoryCall(scene.stack, 'DELETE', `${orderId}?revision=1`);
  inject(scene.stack, { on: httpCall('POST', '/confirm$'), times: 1, act: after(release) });
  await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
  const order = await eventually(async () => {
    const shown = await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(shown.refunds).toHaveLength(1);
    return shown;
  });
  heal(scene.stack);
  return order;
}

/** An order whose latest payment failed before the gateway received a charge. */
async function uncharged(): Promise<OrderDocument & { readonly paymentId: string }> {
  const { orderId } = await declined();
  const other = await Customer.of(scene.stack);
  const all = await other.reserved(scene.productId, 10);
  await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
  const order = await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
  expect(order.reason).toBe('OUT_OF_STOCK');
  // The saga settles what its payment owes, so a tampered payment must come after its end.
  await eventually(async () => {
    const runs = await executions(scene.stack, orderId);
    expect(runs.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  });
  await other.cancel(all.orderId);
  return { ...order, paymentId: order.paymentId ?? '' };
}

// Ways to tamper with them

const AMOUNT = { amount: 1000, currency: 'EUR' };

/** Charges at the gateway, without the service's knowledge. */
async function chargeBehind(orderId: string, paymentId: string, token = 'tok_ok'): Promise<void> {
  const answer = await fetch(`${scene.stack.companionUrl}/gateway/charges`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': paymentId },
    body: JSON.stringify({ orderId, amount: AMOUNT, paymentMethod: { token } }),
  });
  expect(answer.status).toBe(200);
}

/** Attributes of an order whose own move is due. */
function due(orderId: string, agoMs: number) {
  const dueAtMs = scene.stack.clock.now() - agoMs;
  return { dueAtMs, ...inOutbox(orderId, dueAtMs) };
}

/** Attributes of an order that the dispatcher finds. */
function inOutbox(orderId: string, dueKeyMs: number) {
  return { dueKeyMs, dueShard: shardName('due', shardOf(orderId, DUE_SHARDS)) };
}

function withStep(item: StoredItem, to: string) {
  const step = { to, reason: 'TEST', atMs: scene.stack.clock.now(), by: 'user' };
  return [...(item['history'] as readonly unknown[]), step];
}

/** A failed payment that captured the money after all, as if an acknowledgement had been stored. */
async function capturedBehind(
  changes: object = {},
): Promise<{ orderId: string; paymentId: string }> {
  const { orderId, paymentId } = await uncharged();
  await chargeBehind(orderId, paymentId);
  await tamper('PAYMENT', paymentId, ({ code: _code, ...item }) => ({
    ...item,
    status: 'CAPTURED',
    history: withStep(item, 'CAPTURED'),
    ...changes,
  }));
  return { orderId, paymentId };
}

/** Holds stock for the order at a revision after its present one. */
async function holdBehind(orderId: string, revision = 2): Promise<void> {
  const items = [{ productId: scene.productId, quantity: 1 }];
  const answer = await inventoryCall(scene.stack, 'PUT', orderId, {
    revision,
    holdSeconds: 900,
    items,
  });
  expect(answer.summary).toBe('200 HELD');
}

// State after the doctor

async function chargeStatuses(orderId: string): Promise<string[]> {
  return (await chargesOf(scene.stack, orderId)).map(({ status }) => status);
}

async function stockIs(line: string): Promise<void> {
  expect(await stockLine(scene.stack, scene.productId)).toBe(line);
}

async function isRefunded(orderId: string): Promise<void> {
  expect(await chargeStatuses(orderId)).toEqual(['DECLINED', 'REFUNDED']);
  expect((await scene.user.order(orderId)).refunds).toHaveLength(1);
}

interface Case {
  readonly what: string;
  readonly plant: () => Promise<{ readonly orderId: string }>;
  readonly checks: readonly string[];
  readonly becomes: (orderId: string) => Promise<unknown>;
}

const MENDED: readonly Case[] = [
  {
    what: 'an order that no timer looks after',
    plant: async () => {
      const order = await waiting();
      await tamper(
        'ORDER',
        order.orderId,
        ({ dueAtMs: _at, dueShard: _shard, dueKeyMs: _key, ...item }) => item,
      );
      return order;
    },
    checks: ['due-missing'],
    becomes: (orderId) => scene.user.expectStatus(orderId, 'ORDER_FAILED'),
  },
  {
    what: 'an order that the dispatcher does not find',
    plant: async () => {
      const order = await waiting();
      await tamper('ORDER', order.orderId, ({ dueShard: _dueShard, ...item }) => item);
      return order;
    },
    checks: ['due-missing'],
    becomes: (orderId) => scene.user.expectStatus(orderId, 'ORDER_FAILED'),
  },
  {
    what: 'an order that nobody has moved on',
    plant: async () => {
      const order = await waiting();
      await abortExecution(scene.stack, order.orderId);
      await tamper('ORDER', order.orderId, (item) => ({ ...item, ...due(order.orderId, LONG_MS) }));
      return order;
    },
    checks: ['overdue'],
    becomes: (orderId) => scene.user.expectStatus(orderId, 'ORDER_FAILED'),
  },
  {
    what: 'stock that nobody has given back',
    plant: async () => {
      const order = await declined();
      await holdBehind(order.orderId);
      await tamper('ORDER', order.orderId, (item) => ({
        ...item,
        releaseOwed: { revision: 2 },
        ...due(order.orderId, LONG_MS),
      }));
      return order;
    },
    checks: ['overdue'],
    becomes: () => stockIs('10/0/0'),
  },
  {
    what: 'an order at rest that is looked at for nothing',
    plant: async () => {
      const order = await declined();
      await tamper('ORDER', order.orderId, (item) => ({ ...item, ...due(order.orderId, 0) }));
      return order;
    },
    checks: ['due-for-nothing'],
    becomes: (orderId) => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'),
  },
  {
    what: 'a charge of a payment that was given up',
    plant: async () => {
      const order = await uncharged();
      await chargeBehind(order.orderId, order.paymentId);
      return order;
    },
    checks: ['charge-status'],
    becomes: isRefunded,
  },
  {
    what: 'a pending charge of a payment that was given up',
    plant: async () => {
      const order = await uncharged();
      await chargeBehind(order.orderId, order.paymentId, 'tok_never_captured');
      return order;
    },
    checks: ['charge-status'],
    becomes: async (orderId) => {
      expect(await chargeStatuses(orderId)).toEqual(['DECLINED', 'VOIDED']);
    },
  },
  {
    what: 'money that is kept for an order that failed',
    plant: () => capturedBehind(),
    checks: ['money-kept'],
    becomes: isRefunded,
  },
  {
    what: 'a refund that no timer looks after',
    plant: () => {
      const dueAtMs = scene.stack.clock.now();
      return capturedBehind({ refundOwed: { reason: 'LATE_CAPTURE', dueAtMs } });
    },
    checks: ['due-missing'],
    becomes: isRefunded,
  },
  {
    what: 'a refund that nobody has made',
    plant: async () => {
      const dueAtMs = scene.stack.clock.now() - LONG_MS;
      const planted = await capturedBehind({ refundOwed: { reason: 'LATE_CAPTURE', dueAtMs } });
      const { orderId } = planted;
      await tamper('ORDER', orderId, (item) => ({ ...item, ...inOutbox(orderId, dueAtMs) }));
      return planted;
    },
    checks: ['overdue'],
    becomes: isRefunded,
  },
  {
    what: 'a paid order that is looked at for nothing',
    plant: async () => {
      const order = await paid();
      const { orderId } = order;
      const nowMs = scene.stack.clock.now();
      await tamper('ORDER', orderId, (item) => ({ ...item, ...inOutbox(orderId, nowMs) }));
      return order;
    },
    checks: ['due-for-nothing'],
    becomes: () => stockIs('9/0/1'),
  },
  {
    what: 'an open payment that nobody settles',
    plant: async () => {
      const order = await declined();
      await tamper('PAYMENT', order.paymentId ?? '', ({ code: _code, ...item }) => ({
        ...item,
        status: 'INITIATED',
        methodId: 'met_gone',
        history: (item['history'] as unknown[]).slice(0, 1),
      }));
      return order;
    },
    checks: ['payment-open'],
    becomes: async (orderId) => {
      const { paymentId } = await scene.user.order(orderId);
      expect((await scene.user.payment(paymentId ?? '')).status).toBe('DECLINED');
    },
  },
  {
    what: 'a refund that was never made',
    plant: async () => {
      const { orderId, paymentId } = await capturedBehind({ status: 'REFUNDED', code: 'TEST' });
      await tamper('PAYMENT', paymentId, (item) => ({
        ...item,
        history: withStep(item, 'REFUNDED'),
      }));
      return { orderId };
    },
    checks: ['charge-status'],
    becomes: isRefunded,
  },
  {
    what: 'stock that is held for an order at rest',
    plant: async () => {
      const order = await declined();
      await holdBehind(order.orderId);
      return order;
    },
    checks: ['stock-held-for-nothing'],
    becomes: () => stockIs('10/0/0'),
  },
  {
    what: 'stock that the sweeper has not released',
    plant: async () => {
      const order = await waiting();
      const { orderId } = order;
      const endedMs = scene.stack.clock.now() - LONG_MS;
      await tamper('ORDER', orderId, (item) => ({ ...item, reservationExpiresAtMs: endedMs }));
      await tamper('RESERVATION', orderId, (item) => ({ ...item, expiresAtMs: endedMs }));
      return order;
    },
    checks: ['hold-overdue'],
    becomes: (orderId) => scene.user.expectStatus(orderId, 'ORDER_FAILED'),
  },
  {
    what: 'stock that is held for no order',
    plant: async () => {
      const orderId = deriveId('ord', 'lost', scene.productId);
      await holdBehind(orderId);
      return { orderId };
    },
    checks: ['order-missing'],
    becomes: () => stockIs('10/0/0'),
  },
  {
    what: 'stock of a paid order that is only held',
    plant: async () => {
      const order = await waiting();
      const { orderId } = order;
      const confirmations = inject(scene.stack, {
        on: httpCall('POST', '/confirm$'),
        act: refuseConnection,
      });
      await scene.user.pay(orderId, 'tok_ok');
      await eventually(() => {
        expect(confirmations.strikes).toBeGreaterThan(0);
      });
      await abortExecution(scene.stack, orderId);
      await tamper(
        'ORDER',
        orderId,
        ({ dueAtMs: _at, dueShard: _shard, dueKeyMs: _key, ...item }) => ({
          ...item,
          status: 'PAYMENT_DONE',
          history: withStep(item, 'PAYMENT_DONE'),
        }),
      );
      return order;
    },
    checks: ['paid-stock'],
    becomes: () => stockIs('9/0/1'),
  },
];

describe('the doctor finds and mends', () => {
  test.each(MENDED)('$what', async ({ plant, checks, becomes }) => {
    const { orderId } = await plant();

    expect(await saysOf({ orderId })).toEqual(checks.map((check) => `${check} FOUND`));
    expect(await saysOf({ orderId }, true)).toEqual(checks.map((check) => `${check} MENDED`));
    expect(await saysOf({ orderId }, true)).toEqual([]);

    await scene.inTime(async () => {
      await scene.freshToken();
      await becomes(orderId);
    });
    expect(await saysOf({ orderId })).toEqual([]);
  });

  test('several things at once, of one order and of another', async () => {
    const order = await declined();
    const other = await waiting();
    await holdBehind(order.orderId);
    await tamper('ORDER', order.orderId, (item) => ({ ...item, ...due(order.orderId, 0) }));
    await tamper(
      'ORDER',
      other.orderId,
      ({ dueAtMs: _at, dueShard: _shard, dueKeyMs: _key, ...item }) => item,
    );

    const { summary } = await consultDoctor(scene.stack, { fix: true, pageSize: 2 });

    expect(summary).toMatchObject({ found: 3, mended: 3, left: 0, isClean: true });
    await scene.user.cancel(other.orderId);
  });

  test('nothing where the remedy fails, and says why', async () => {
    const { orderId } = await declined();
    await holdBehind(orderId);
    const { verdicts, summary } = await consultDoctor(scene.stack, {
      fix: true,
      intercept: (effect, proceed) =>
        effect.operation === 'DELETE' ? refuseConnection(proceed, effect) : proceed(),
    });
    expect(verdicts).toMatchObject([
      {
        outcome: 'NOT_MENDED',
        because: 'InventoryUnavailable: Inventory could not be reached; try again.',
        disagreement: { check: 'stock-held-for-nothing', orderId },
      },
    ]);
    expect(summary).toMatchObject({ found: 1, mended: 0, left: 1, isClean: false });
    expect(await saysOf({ orderId }, true)).toEqual(['stock-held-for-nothing MENDED']);
  });
});

interface ForAPerson {
  readonly what: string;
  /** Plants a disagreement; returns its subject and the functions that undo it. */
  readonly plant: () => Promise<readonly [Planted, ...putBack: (() => Promise<void>)[]]>;
  readonly checks: readonly string[];
}

const LEFT: readonly ForAPerson[] = [
  {
    what: 'a product whose counters do not add up',
    plant: async () => {
      const { productId } = scene;
      return [
        { productId },
        await tamper('PRODUCT', productId, (item) => ({ ...item, received: 11 })),
      ];
    },
    checks: ['stock-balance'],
  },
  {
    what: 'a product that was oversold',
    plant: async () => {
      const { productId } = scene;
      const change = { available: -1, reserved: 11 };
      const putBack = await tamper('PRODUCT', productId, (item) => ({ ...item, ...change }));
      return [{ productId }, putBack];
    },
    checks: ['stock-balance', 'stock-sums'],
  },
  {
    what: 'a product whose counters have drifted from its reservations',
    plant: async () => {
      const { productId } = scene;
      await paid();
      const change = { reserved: 1, sold: 0 };
      const putBack = await tamper('PRODUCT', productId, (item) => ({ ...item, ...change }));
      return [{ productId }, putBack];
    },
    checks: ['stock-sums'],
  },
  {
    what: 'a product that is gone',
    plant: async () => {
      const { productId } = scene;
      await paid();
      return [{ productId }, await tamper('PRODUCT', productId, () => undefined)];
    },
    checks: ['product-missing'],
  },
  {
    what: 'an order that is gone',
    plant: async () => {
      const { orderId } = await paid();
      return [{ orderId }, await tamper('ORDER', orderId, () => undefined)];
    },
    checks: ['order-missing'],
  },
  {
    what: 'a payment that is gone',
    plant: async () => {
      const { orderId, paymentId } = await paid();
      return [{ orderId }, await tamper('PAYMENT', paymentId ?? '', () => undefined)];
    },
    checks: ['charge-unknown', 'payment-missing'],
  },
  {
    what: 'a reservation that is gone',
    plant: async () => {
      const { orderId } = await paid();
      return [{ orderId }, await tamper('RESERVATION', orderId, () => undefined)];
    },
    checks: ['paid-stock'],
  },
  {
    what: 'a reservation that the service cannot read',
    plant: async () => {
      const { orderId } = await paid();
      const putBack = await tamper(
        'RESERVATION',
        orderId,
        ({ paymentId: _paymentId, ...rest }) => ({
          ...rest,
          revision: 'one',
        }),
      );
      return [{ orderId }, putBack];
    },
    checks: ['unreadable'],
  },
  {
    what: 'a product that the service cannot read',
    plant: async () => {
      const { productId } = scene;
      const change = { unitPrice: 'free' };
      const putBack = await tamper('PRODUCT', productId, (item) => ({ ...item, ...change }));
      return [{ productId }, putBack];
    },
    checks: ['unreadable'],
  },
  {
    what: 'an order whose total is wrong',
    plant: async () => {
      const { orderId } = await declined();
      const total = { amount: 999, currency: 'EUR' };
      return [{ orderId }, await tamper('ORDER', orderId, (item) => ({ ...item, total }))];
    },
    checks: ['order-total'],
  },
  {
    what: 'a payment of another amount than was charged',
    plant: async () => {
      const { orderId, paymentId } = await paid();
      const amount = { amount: 999, currency: 'EUR' };
      return [
        { orderId },
        await tamper('PAYMENT', paymentId ?? '', (item) => ({ ...item, amount })),
      ];
    },
    checks: ['charge-amount', 'payment-amount'],
  },
  {
    what: 'a paid order whose money is to go back',
    plant: async () => {
      const { orderId, paymentId } = await paid();
      const id = paymentId ?? '';
      const dueAtMs = scene.stack.clock.now();
      const owed = { refundOwed: { reason: 'TEST', dueAtMs } };
      const putBack = await tamper('PAYMENT', id, (item) => ({ ...item, ...owed }));
      await tamper('ORDER', orderId, (item) => ({ ...item, ...inOutbox(orderId, dueAtMs) }));
      return [{ orderId }, putBack];
    },
    checks: ['paid-order'],
  },
  {
    what: 'an order that was cancelled and has sold its stock',
    plant: async () => {
      const { orderId } = await paid();
      const putBack = await tamper('ORDER', orderId, (item) => ({
        ...item,
        status: 'ORDER_CANCELLED',
      }));
      return [{ orderId }, putBack];
    },
    checks: ['history', 'money-kept', 'sold-unpaid'],
  },
  {
    what: 'an order that skipped a status',
    plant: async () => {
      const { orderId } = await paid();
      const putBack = await tamper('ORDER', orderId, (item) => ({
        ...item,
        history: (item['history'] as unknown[]).filter((_step, index) => index !== 1),
      }));
      return [{ orderId }, putBack];
    },
    checks: ['history'],
  },
  {
    what: 'an order that cannot be understood',
    plant: async () => {
      const { orderId } = await declined();
      return [{ orderId }, await tamper('ORDER', orderId, ({ items: _items, ...item }) => item)];
    },
    checks: ['unreadable'],
  },
  {
    what: 'an order of a newer version, even if no timer looks after it',
    plant: async () => {
      const { orderId } = await waiting();
      const putBack = await tamper(
        'ORDER',
        orderId,
        ({ dueAtMs: _at, dueShard: _shard, dueKeyMs: _key, ...item }) => ({
          ...item,
          schemaVersion: 4,
        }),
      );
      return [{ orderId }, putBack];
    },
    checks: ['unreadable'],
  },
  {
    what: 'an order of the version before',
    plant: async () => {
      const { orderId } = await refunded();
      const putBack = await tamper('ORDER', orderId, (item) => ({ ...item, schemaVersion: 2 }));
      return [{ orderId }, putBack];
    },
    checks: ['unreadable'],
  },
];

describe('the doctor leaves to a person', () => {
  test.each(LEFT)('$what', async ({ plant, checks }) => {
    const [planted, ...putBack] = await plant();

    const found = checks.map((check) => `${check} FOUND`);
    expect(await saysOf(planted)).toEqual(found);
    expect(await saysOf(planted, true)).toEqual(found);

    for (const back of putBack) await back();
    expect(await saysOf(planted)).toEqual([]);
  });

  test('an order that has lost what it was promised, and that ends by itself', async () => {
    const { orderId } = await waiting();
    await inventoryCall(scene.stack, 'DELETE', `${orderId}?revision=1`);
    expect(await saysOf({ orderId }, true)).toEqual(['stock-not-held FOUND']);
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe(
      '402 PAYMENT_FAILED',
    );
    expect(await chargeStatuses(orderId)).toEqual(['REFUNDED']);
    expect(await saysOf({ orderId })).toEqual([]);
  });
});

test('when all is mended and put back every promise holds', async () => {
  await scene.inTime(() => expectPromisesAtRest(scene.stack));
});

describe('what the gateway has done of its own is left to a person too:', () => {
  test('a charge that no payment knows', async () => {
    const { orderId } = await paid();
    await chargeBehind(orderId, 'pay_unheard_of');
    expect(await saysOf({ orderId }, true)).toEqual(['charge-unknown FOUND']);
  });

  test('a refund that nobody has asked for', async () => {
    const { orderId, paymentId } = await paid();
    const refund = `${scene.stack.companionUrl}/gateway/charges/${paymentId ?? ''}/refund`;
    expect((await fetch(refund, { method: 'POST' })).status).toBe(200);
    expect(await saysOf({ orderId }, true)).toEqual(['charge-status FOUND']);
  });
});
