import { beforeEach, describe, expect, test } from 'vitest';
import {
  butFirst,
  databaseCall,
  dieAfter,
  held,
  httpCall,
  inject,
  refuseConnection,
  stateMachineCall,
} from '../support/faults.ts';
import { expectPromisesAtRest, ordersOf, storedOrder } from '../support/invariants.ts';
import { eur, modifying, of } from '../support/modify.ts';
import { Scene } from '../support/scene.ts';
import {
  type Answer,
  Customer,
  type Items,
  newProduct,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import { eventually } from '../support/stack.ts';

const DISPATCH_AFTER_MS = 30_000;

/** An interrupted request frees its idempotency key after its function's time-out. */
const LAMBDA_TIMEOUT_MS = 20_000;

// The schedule never runs by itself; the tests run its functions.
const scene = new Scene({ RESERVATION_TTL_SECONDS: '1800', SCHEDULE_SECONDS: '3600' });
const { payInFull, dispatchedUntil, decided } = modifying(scene);
let otherId: string;

beforeEach(async () => {
  otherId = await newProduct(10);
});

const reserving = httpCall('PUT', '/inventory/reservation/');

function replayed(answer: Answer): boolean {
  return answer.headers.get('idempotent-replayed') === 'true';
}

async function stockLines(): Promise<string> {
  return `${await stockLine(scene.stack, scene.productId)} ${await stockLine(scene.stack, otherId)}`;
}

/** Waits until the order owes no release any more. */
function released(orderId: string): Promise<void> {
  return eventually(async () => {
    expect((await storedOrder(scene.stack, orderId)).releaseOwed).toBeUndefined();
  });
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

describe('in every other status a change is refused:', () => {
  async function refusedIn(orderId: string, status: string): Promise<void> {
    const before = await scene.user.expectStatus(orderId, status);
    const answer = await scene.user.modify(orderId, of(scene.productId, 3));
    expect(answer.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(answer.problem.orderId).toBe(orderId);
    expect(await scene.user.order(orderId)).toEqual(before);
    expect(before.links).not.toHaveProperty('modify');
  }

  test('CREATED', async () => {
    inject(scene.stack, {
      on: stateMachineCall('StartExecution'),
      times: 1,
      act: refuseConnection,
    });
    const { orderId } = (await scene.user.place(of(scene.productId, 2))).order;
    await refusedIn(orderId, 'CREATED');
    await scene.user.cancel(orderId);
  });

  test('PENDING_RESERVING_STOCK, for the first time', async () => {
    const inventory = held();
    inject(scene.stack, { on: reserving, act: inventory.act });
    const { orderId } = (await scene.user.place(of(scene.productId, 2))).order;
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    inventory.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('PENDING_RESERVING_STOCK, for a retried payment', async () => {
    const { orderId } = await paymentFailed();
    const inventory = held();
    inject(scene.stack, { on: reserving, act: inventory.act });
    await scene.user.retryPayment(orderId, 'tok_ok');
    await refusedIn(orderId, 'PENDING_RESERVING_STOCK');
    inventory.letGo();
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
  });

  test('PAYMENT_DONE', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await payInFull(orderId, 2000);
    await refusedIn(orderId, 'PAYMENT_DONE');
  });

  test('ORDER_FAILED', async () => {
    const withdrawn = await newProduct(5, { active: false });
    const { orderId = '' } = (await scene.user.place(of(withdrawn, 1), { wait: 10 })).problem;
    await released(orderId);
    await refusedIn(orderId, 'ORDER_FAILED');
  });

  test('INVALID', async () => {
    const { orderId = '' } = (await scene.user.place(of(scene.productId, 11), { wait: 10 }))
      .problem;
    await released(orderId);
    await refusedIn(orderId, 'INVALID');
  });

  test('ORDER_CANCELLED', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.cancel(orderId);
    await released(orderId);
    await refusedIn(orderId, 'ORDER_CANCELLED');
  });
});

describe('If-Match', () => {
  const ifMatch = (etag: string) => ({ wait: 10, headers: { 'if-match': etag } });

  test('with the version that the caller has seen lets the change through, once', async () => {
    const { orderId, version } = await scene.user.reserved(scene.productId, 2);
    const seen = (await scene.user.call('GET', `/order/${orderId}`)).headers.get('etag') ?? '';
    expect(seen).toBe(`"${String(version)}"`);
    const first = await scene.user.modify(orderId, of(scene.productId, 3), ifMatch(seen));
    expect(first.summary).toBe('200 PENDING_PAYMENT');

    const stale = await scene.user.modify(orderId, of(scene.productId, 4), ifMatch(seen));

    expect(stale.summary).toBe('412 PRECONDITION_FAILED');
    expect(stale.problem).toMatchObject({ orderId, version: first.order.version });
    expect(await scene.user.order(orderId)).toEqual(first.order);
    const fresh = first.headers.get('etag') ?? '';
    const second = await scene.user.modify(orderId, of(scene.productId, 4), ifMatch(fresh));
    expect(second.summary).toBe('200 PENDING_PAYMENT');
    await payInFull(orderId, 4000);
  });

  test('is honoured while a payment is under way and after it failed', async () => {
    const inProgress = await paying('tok_never_captured');
    const failed = await paymentFailed(3);
    for (const { orderId, version } of [inProgress, failed]) {
      const stale = ifMatch(`"${String(version - 1)}"`);
      const answer = await scene.user.modify(orderId, of(scene.productId, 4), stale);
      expect(answer.summary).toBe('412 PRECONDITION_FAILED');
      expect((await scene.user.order(orderId)).version).toBe(version);
    }
    expect(
      (await scene.user.modify(inProgress.orderId, of(scene.productId, 4), ifMatch('*'))).status,
    ).toBe(200);
  });

  test('is not refused because the system has looked at the order meanwhile', async () => {
    const { orderId, version } = await paying('tok_never_captured');
    const { dueAtMs = 0 } = await storedOrder(scene.stack, orderId);
    await scene.stack.clock.advance(DISPATCH_AFTER_MS + 1000);
    await scene.stack.runSchedules();
    expect((await storedOrder(scene.stack, orderId)).dueAtMs).toBeGreaterThan(dueAtMs);
    const seen = ifMatch(`"${String(version)}"`);
    expect((await scene.user.modify(orderId, of(scene.productId, 4), seen)).status).toBe(200);
  });

  test('with a star asks for nothing', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const answer = await scene.user.modify(orderId, of(scene.productId, 3), ifMatch('*'));
    expect(answer.summary).toBe('200 PENDING_PAYMENT');
  });

  test.each(['3', '"three"', 'W/"3"', '"3', '"-1"'])('refuses %s', async (etag) => {
    const before = await scene.user.reserved(scene.productId, 2);
    const answer = await scene.user.modify(before.orderId, of(scene.productId, 3), ifMatch(etag));
    expect(answer.summary).toBe('400 BAD_REQUEST');
    expect(await scene.user.order(before.orderId)).toEqual(before);
  });
});

describe('the caps of a change', () => {
  test.each<[string, () => Items]>([
    [
      '21 lines',
      () => Array.from({ length: 21 }, () => ({ productId: scene.productId, quantity: 1 })),
    ],
    ['no line', () => []],
    ['a fraction', () => of(scene.productId, 1.5)],
  ])('%s is not well-formed', async (_what, items) => {
    const before = await scene.user.reserved(scene.productId, 2);
    const answer = await scene.user.modify(before.orderId, items(), { wait: 10 });
    expect(answer.summary).toBe('400 BAD_REQUEST');
    expect(await scene.user.order(before.orderId)).toEqual(before);
  });

  test.each([0, -1, 10_001])(
    'a quantity of %i is refused and the order stays',
    async (quantity) => {
      const before = await scene.user.reserved(scene.productId, 2);
      const items = [...of(scene.productId, 2), ...of(otherId, quantity)];
      const answer = await scene.user.modify(before.orderId, items, { wait: 10 });
      expect(answer.summary).toBe('422 BAD_QUANTITY');
      expect(answer.problem.orderId).toBe(before.orderId);
      expect(await scene.user.order(before.orderId)).toEqual(before);
      expect((await storedOrder(scene.stack, before.orderId)).modifications).toBe(0);
    },
  );

  test('a bad quantity is not made up for by another line of the same product', async () => {
    const before = await scene.user.reserved(scene.productId, 2);
    const items = [...of(scene.productId, 5), ...of(scene.productId, -2)];
    expect((await scene.user.modify(before.orderId, items)).summary).toBe('422 BAD_QUANTITY');
    expect(await scene.user.order(before.orderId)).toEqual(before);
  });

  test('20 lines and 20 changes are allowed, the 21st is not', async () => {
    const { orderId } = await paymentFailed();
    const productId = await newProduct(20);
    const lines = (count: number): Items =>
      Array.from({ length: count }, () => ({ productId, quantity: 1 }));
    for (let change = 1; change <= 20; change += 1) {
      const answer = await scene.user.modify(orderId, lines(change));
      expect(answer.summary, answer.text).toBe('200 PAYMENT_FAILED');
      expect(answer.order.total).toEqual(eur(change * 1000));
      expect(Object.hasOwn(answer.order.links, 'modify')).toBe(change < 20);
    }
    const before = await scene.user.order(orderId);
    const refused = await scene.user.modify(orderId, lines(1));
    expect(refused.summary).toBe('409 ILLEGAL_TRANSITION');
    expect(refused.problem.orderId).toBe(orderId);
    expect(await scene.user.order(orderId)).toEqual(before);
  });
});

test('another user’s order does not exist', async () => {
  const before = await scene.user.reserved(scene.productId, 2);
  const stranger = await Customer.of(scene.stack);
  const theirs = await stranger.modify(before.orderId, of(scene.productId, 3));
  const nobodys = await stranger.modify('ord_nowhere', of(scene.productId, 3));
  expect([theirs.summary, nobodys.summary]).toEqual(['404 NOT_FOUND', '404 NOT_FOUND']);
  expect(theirs.problem.detail).toBe(nobodys.problem.detail);
  expect(await scene.user.order(before.orderId)).toEqual(before);
});

describe('the same Idempotency-Key', () => {
  test('replays the answer, and the order is changed once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const options = { key: 'm1', wait: 10 };
    const first = await scene.user.modify(orderId, of(scene.productId, 3), options);
    expect([first.summary, replayed(first)]).toEqual(['200 PENDING_PAYMENT', false]);
    await scene.user.modify(orderId, of(scene.productId, 4), { key: 'm2', wait: 10 });

    const again = await scene.user.modify(orderId, of(scene.productId, 3), options);

    expect([again.text, replayed(again)]).toEqual([first.text, true]);
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    expect((await scene.user.order(orderId)).total).toEqual(eur(4000));
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      modifications: 2,
      revision: 3,
    });
  });

  test('with other items is refused', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const { order } = await scene.user.modify(orderId, of(scene.productId, 3), {
      key: 'm1',
      wait: 10,
    });
    const other = await scene.user.modify(orderId, of(scene.productId, 4), { key: 'm1', wait: 10 });
    expect(other.summary).toBe('422 IDEMPOTENCY_CONFLICT');
    expect(await scene.user.order(orderId)).toEqual(order);
  });

  test('for another order is refused', async () => {
    const first = await scene.user.reserved(scene.productId, 2);
    const second = await scene.user.reserved(otherId, 2);
    await scene.user.modify(first.orderId, of(scene.productId, 3), { key: 'm1', wait: 10 });
    const other = await scene.user.modify(second.orderId, of(scene.productId, 3), {
      key: 'm1',
      wait: 10,
    });
    expect(other.summary).toBe('422 IDEMPOTENCY_CONFLICT');
    expect(await scene.user.order(second.orderId)).toEqual(second);
  });

  test('of a refusal may be tried again', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const options = { key: 'm1', wait: 10 };
    const first = await scene.user.modify(orderId, of(scene.productId, 11), options);
    const again = await scene.user.modify(orderId, of(scene.productId, 11), options);
    expect([first.summary, again.summary]).toEqual([
      '409 MODIFICATION_REJECTED',
      '409 MODIFICATION_REJECTED',
    ]);
    expect((await storedOrder(scene.stack, orderId)).modifications).toBe(1);
  });

  test.each<[string, () => Promise<OrderDocument>, number]>([
    ['waits for its payment', () => scene.user.reserved(scene.productId, 2), 202],
    ['is being paid', () => paying('tok_never_captured'), 202],
    ['failed to be paid', () => paymentFailed(), 200],
  ])('of a handler that died after it changed an order that %s changes it once', async (...row) => {
    const [, prepare, status] = row;
    const { orderId, version } = await prepare();
    inject(scene.stack, {
      on: butFirst(databaseCall('PutItem', 'orders')),
      times: 1,
      act: dieAfter,
    });
    const options = { key: 'm1', headers: { 'if-match': `"${String(version)}"` } };
    expect((await scene.user.modify(orderId, of(scene.productId, 5), options)).status).toBe(502);
    const tooSoon = await scene.user.modify(orderId, of(scene.productId, 5), options);
    expect(tooSoon.summary).toBe('409 REQUEST_IN_PROGRESS');
    await scene.stack.clock.advance(LAMBDA_TIMEOUT_MS + 1000);

    const again = await scene.user.modify(orderId, of(scene.productId, 5), options);

    // A retry does not take the request's own change for somebody else's.
    expect(again.status, again.text).toBe(status);
    await scene.stack.clock.advance(DISPATCH_AFTER_MS);
    const order = await dispatchedUntil(orderId, 'PENDING_PAYMENT', 'PAYMENT_FAILED');
    expect(order).toMatchObject({ total: eur(5000), modification: { status: 'APPLIED' } });
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      modifications: 1,
      revision: 2,
    });
    expect(await stockLines()).toBe(status === 202 ? '5/5/0 10/0/0' : '10/0/0 10/0/0');
  });

  test('sent ten times at once changes the order once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        scene.user.modify(orderId, of(scene.productId, 3), { key: 'm1', wait: 10 }),
      ),
    );
    const summaries = new Set(answers.map(({ summary }) => summary));
    summaries.delete('409 REQUEST_IN_PROGRESS');
    expect([...summaries]).toEqual(['200 PENDING_PAYMENT']);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({
      modifications: 1,
      revision: 2,
    });
    await payInFull(orderId, 3000);
  });
});

describe('an order changed from one set of items to another', () => {
  test('is in the way of the new items, no more of the old ones', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.modify(orderId, of(otherId, 1), { wait: 10 });

    const refused = await scene.user.place(of(otherId, 1), { wait: 10 });
    expect(refused.summary).toBe('409 DUPLICATE_ORDER');
    expect(refused.problem.orderId).toBe(orderId);
    const allowed = await scene.user.reserved(scene.productId, 2);
    expect(allowed.orderId).not.toBe(orderId);

    expect((await scene.user.place(of(scene.productId, 2))).problem.orderId).toBe(allowed.orderId);
    expect(await ordersOf(scene.stack, scene.user.userId)).toHaveLength(2);
  });

  test('and back is in the way of the first items again', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.modify(orderId, of(otherId, 1), { wait: 10 });
    await scene.user.modify(orderId, of(scene.productId, 2), { wait: 10 });
    expect((await scene.user.place(of(scene.productId, 2))).problem.orderId).toBe(orderId);
    expect((await scene.user.reserved(otherId, 1)).orderId).not.toBe(orderId);
  });

  test('in vain is still in the way of the old ones only', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await scene.user.modify(orderId, of(scene.productId, 11), { wait: 10 });
    expect((await scene.user.place(of(scene.productId, 2))).problem.orderId).toBe(orderId);
    const other = await scene.user.place(of(scene.productId, 11), { wait: 10 });
    expect(other.summary).toBe('422 OUT_OF_STOCK');
  });

  test('but not yet for sure is in the way of both', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    const inventory = held();
    inject(scene.stack, { on: reserving, act: inventory.act });
    await scene.user.modify(orderId, of(otherId, 1));
    const refused = [
      await scene.user.place(of(scene.productId, 2)),
      await scene.user.place(of(otherId, 1)),
    ];
    inventory.letGo();
    expect(refused.map(({ summary }) => summary)).toEqual([
      '409 DUPLICATE_ORDER',
      '409 DUPLICATE_ORDER',
    ]);
    await decided(orderId, 'APPLIED');
  });

  test('that another order of theirs has may be what they want', async () => {
    const first = await scene.user.reserved(scene.productId, 2);
    const second = await scene.user.reserved(otherId, 1);
    const answer = await scene.user.modify(second.orderId, of(scene.productId, 2), { wait: 10 });
    expect(answer.summary).toBe('200 PENDING_PAYMENT');
    expect((await scene.user.place(of(scene.productId, 2))).problem.orderId).toBe(first.orderId);
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
