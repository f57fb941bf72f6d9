import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, describe, expect, test } from 'vitest';
import { toTimestamp } from '../../lib/platform/clock.ts';
import { documentClient } from '../../lib/platform/dynamo/database-client.ts';
import { examine } from '../../tools/doctor/examine.ts';
import type { WorldInterceptor } from '../../torture/world/effect-log.ts';
import {
  conflict,
  dieAfter,
  dieBefore,
  type Fault,
  hang,
  loseAnswer,
  strikeAt,
  throttle,
} from '../../torture/world/faults.ts';
import { NotAtRest } from '../../torture/world/time.ts';
import { createWorld, type World, type WorldOptions } from '../../torture/world/world.ts';

const HOUR_MS = 3_600_000;

let world: World | undefined;

async function make(options: Partial<WorldOptions> = {}): Promise<World> {
  world = await createWorld({ seed: 1, ...options });
  return world;
}

afterEach(async () => {
  await world?.stop();
  world = undefined;
});

function place(
  of: World,
  productId = 'prod-coffee',
  quantity = 2,
  headers = { prefer: 'wait=10' },
) {
  return of.until(
    of.call({
      method: 'POST',
      path: '/order',
      user: 'alice',
      headers: { 'idempotency-key': 'place', ...headers },
      body: { items: [{ productId, quantity }] },
    }),
    HOUR_MS,
  );
}

function pay(of: World, token: string) {
  const [order] = of.snapshot().orders;
  return of.until(
    of.call({
      method: 'POST',
      path: '/payment',
      user: 'alice',
      headers: { prefer: 'wait=10', 'idempotency-key': 'pay' },
      body: { orderId: order?.orderId, paymentMethod: { token } },
    }),
    HOUR_MS,
  );
}

/** Status and latest reason of all orders. */
function statuses(of: World): string[] {
  return of
    .snapshot()
    .orders.map(({ status, history }) => `${status} ${String(history.at(-1)?.reason)}`);
}

function coffee(of: World) {
  const { products } = of.snapshot();
  return products.find(({ productId }) => productId === 'prod-coffee');
}

/** Number of the last matching effect in a life without faults. */
async function numberOf(operation: string, by: string): Promise<number> {
  const rehearsal = await createWorld({ seed: 1 });
  await place(rehearsal);
  await pay(rehearsal, 'tok_ok');
  await rehearsal.runToRest(HOUR_MS);
  const effect = rehearsal.effects.findLast((one) => one.operation === operation && one.by === by);
  await rehearsal.stop();
  expect(effect).toBeDefined();
  return effect!.n;
}

describe('an order in the world', () => {
  test('is reserved, paid and confirmed', async () => {
    const of = await make();
    expect((await place(of)).status).toBe(201);
    expect((await pay(of, 'tok_ok')).status).toBe(200);
    await of.runToRest(HOUR_MS);

    const { orders, payments, reservations, executions, charges } = of.snapshot();
    expect(statuses(of)).toEqual(['PAYMENT_DONE PAYMENT_CONFIRMED']);
    expect(payments.map(({ status }) => status)).toEqual(['CAPTURED']);
    expect(reservations.map(({ status }) => status)).toEqual(['CONFIRMED']);
    expect(coffee(of)).toMatchObject({ available: 98, reserved: 0, sold: 2, received: 100 });
    expect(executions).toEqual([{ name: `${orders[0]!.orderId}-1`, status: 'SUCCEEDED' }]);
    expect([...charges.values()].flat()).toMatchObject([{ status: 'CAPTURED' }]);
  });

  test('whose payment is declined gives its stock back', async () => {
    const of = await make();
    await place(of);
    expect((await pay(of, 'tok_declined')).status).toBe(402);
    await of.runToRest(HOUR_MS);
    expect(statuses(of)).toEqual(['PAYMENT_FAILED DECLINED']);
    expect(coffee(of)).toMatchObject({ available: 100, reserved: 0, sold: 0 });
  });

  test('for more than there is, is invalid', async () => {
    const of = await make();
    const answer = await place(of, 'prod-grinder', 2);
    expect([answer.status, answer.body]).toMatchObject([422, { code: 'OUT_OF_STOCK' }]);
    await of.runToRest(HOUR_MS);
    expect(statuses(of)).toEqual(['INVALID OUT_OF_STOCK']);
  });

  test('that nobody pays rests until its time is up, and then fails', async () => {
    const of = await make();
    await place(of);
    expect(await of.runToRest(HOUR_MS)).toBe(0);
    expect(statuses(of)).toEqual(['PENDING_PAYMENT STOCK_RESERVED']);
    await of.advance(900_000);
    await of.runToRest(HOUR_MS);
    expect(statuses(of)).toEqual(['ORDER_FAILED RESERVATION_EXPIRED']);
    expect(coffee(of)).toMatchObject({ available: 100, reserved: 0 });
  });

  test('is done when the acknowledgement of its payment has come by webhook', async () => {
    const of = await make();
    await place(of);
    expect((await pay(of, 'tok_async')).status).toBe(200);
    await of.runToRest(HOUR_MS);
    expect(statuses(of)).toEqual(['PAYMENT_DONE PAYMENT_CONFIRMED']);
    expect(of.effects.map(({ by }) => by)).toContain('handleAcknowledgement');
  });

  test('gets the money back that was captured for a payment given up', async () => {
    const of = await make({
      configuration: { PAYMENT_ACK_TIMEOUT_SECONDS: '30', RETRY_MAX_ATTEMPTS: '1' },
    });
    await place(of);
    of.setInterceptor((effect, proceed) =>
      effect.operation === 'GET' && effect.target.includes('/gateway/')
        ? Promise.reject(new TypeError('fetch failed'))
        : proceed(),
    );
    await pay(of, 'tok_ack_lost');
    await of.runToRest(HOUR_MS);
    expect(statuses(of)).toEqual(['PAYMENT_FAILED PAYMENT_UNCONFIRMED']);
    const { charges, queues } = of.snapshot();
    expect([...charges.values()].flat()).toMatchObject([{ status: 'REFUNDED' }]);
    expect(queues['SagaDeadLetterQueue']).toHaveLength(1);
  });

  test('that was placed and not yet started is started by the dispatcher', async () => {
    const start = await numberOf('StartExecution', 'placeOrder');
    const of = await make({ intercept: strikeAt(start, dieBefore) });
    expect((await place(of)).status).toBe(502);
    expect(statuses(of)).toEqual(['CREATED ORDER_PLACED']);
    expect(await of.runToRest(HOUR_MS)).toBe(60_000);
    expect(statuses(of)).toEqual(['PENDING_PAYMENT STOCK_RESERVED']);
  });
});

describe('a fault in the world', () => {
  test.each<[string, Fault, string, string]>([
    ['a crash after a charge', dieAfter, 'POST', 'takePayment'],
    ['the lost answer of a reservation', loseAnswer, 'PUT', 'reserveStock'],
    ['the lost answer of a write', loseAnswer, 'TransactWriteItems', 'reservations'],
    ['a throttled write', throttle, 'PutItem', 'reserveStock'],
    ['a conflict of transactions', conflict, 'TransactWriteItems', 'reservations'],
    ['a conflict at one item', conflict, 'PutItem', 'takePayment'],
  ])('%s delays an order and loses nothing', async (_what, fault, operation, by) => {
    const struck = await numberOf(operation, by);
    const of = await make({ intercept: strikeAt(struck, fault) });
    await place(of);
    await of.runToRest(HOUR_MS);
    await pay(of, 'tok_ok');
    await of.runToRest(HOUR_MS);
    expect(statuses(of)).toEqual(['PAYMENT_DONE PAYMENT_CONFIRMED']);
    expect([...of.snapshot().charges.values()].flat()).toHaveLength(1);
    expect(coffee(of)).toMatchObject({ available: 98, reserved: 0, sold: 2 });
    expect(of.effects[struck - 1]).toMatchObject({ n: struck, operation, by });
  });

  test('that lets a step hang holds it until its time-out', async () => {
    const struck = await numberOf('PutItem', 'reserveStock');
    const of = await make({ intercept: strikeAt(struck, hang) });
    await place(of);
    expect(await of.runToRest(HOUR_MS)).toBeGreaterThan(9000);
    expect(statuses(of)).toEqual(['PENDING_PAYMENT STOCK_RESERVED']);
    expect(of.snapshot().executions).toHaveLength(1);
  });

  test('that never ends is told with what it keeps from moving', async () => {
    const of = await make({ intercept: always('StartExecution', dieBefore) });
    await place(of);
    const stuck = await of.runToRest(HOUR_MS).catch((error: unknown) => error);
    expect(stuck).toBeInstanceOf(NotAtRest);
    expect((stuck as NotAtRest).reasons[0]).toMatch(/^ord_\w+ is CREATED$/);
  });

  test('may make a message come twice and late', async () => {
    const of = await make({ delivery: ({ queue }) => (queue.endsWith('ment') ? [0, 5000] : [0]) });
    await place(of);
    await pay(of, 'tok_async');
    expect(await of.runToRest(HOUR_MS)).toBeGreaterThan(0);
    const handled = of.effects.filter(
      ({ by, operation }) => by === 'handleAcknowledgement' && operation !== 'GetItem',
    );
    expect(handled.length).toBeGreaterThan(1);
    expect(statuses(of)).toEqual(['PAYMENT_DONE PAYMENT_CONFIRMED']);
  });
});

describe('the world itself', () => {
  /** A life with a crash, a webhook and time-outs. */
  async function live(seed: number) {
    const of = await make({ seed, intercept: strikeAt(12, dieAfter) });
    await place(of);
    await of.runToRest(HOUR_MS);
    await pay(of, 'tok_ack_twice');
    await of.runToRest(HOUR_MS);
    const life = { effects: of.effects, snapshot: of.snapshot(), endMs: of.clock.now() };
    await of.stop();
    return life;
  }

  test('lives the same life again from the same seed', async () => {
    const first = await live(7);
    expect(await live(7)).toEqual(first);
    expect((await live(8)).snapshot).not.toEqual(first.snapshot);
  });

  test('begins without what another left behind, and gives the process back', async () => {
    const before = { now: Date.now, random: Math.random, environment: { ...process.env } };
    const first = await make();
    // The world is stopped while a call is under way.
    const waiting = first.call({
      method: 'POST',
      path: '/order',
      user: 'alice',
      headers: { prefer: 'wait=10' },
      body: { items: [{ productId: 'prod-mug', quantity: 1 }] },
    });
    await expect(createWorld({ seed: 2 })).rejects.toThrow('stop it first');
    await first.stop();
    const seen = first.effects.length;
    expect({ now: Date.now, random: Math.random, environment: { ...process.env } }).toEqual(before);
    expect(first.clock.nextDueMs).toBeUndefined();

    const second = await make({ seed: 2 });
    expect(toTimestamp(Date.now())).toBe('2026-01-01T00:00:00.000Z');
    await place(second);
    expect(second.snapshot().orders).toHaveLength(1);
    expect(first.effects).toHaveLength(seen);
    await expect(Promise.race([waiting, Promise.resolve('still waiting')])).resolves.toBe(
      'still waiting',
    );
  });

  test('says so when it is asked for what it does not know', async () => {
    const of = await make();
    const { aws, config } = of.runtime;
    const request = { TableName: config.ORDERS_TABLE, Key: { pk: 'x' } };
    await expect(
      documentClient(aws).send(new GetCommand({ ...request, ProjectionExpression: 'pk' })),
    ).rejects.toThrow('GetItem with ProjectionExpression');
    await expect(of.runUntilIdle()).rejects.toThrow('GetItem with ProjectionExpression');
  });

  test('can be examined by the doctor, who has no part in it', async () => {
    const struck = await numberOf('PutItem', 'reserveStock');
    const of = await make({ intercept: strikeAt(struck, dieAfter) });
    await place(of);
    await pay(of, 'tok_ack_lost');
    await of.runToRest(HOUR_MS);
    const seen = of.effects.length;
    const told: unknown[] = [];
    const examination = examine(of.runtime, {
      fix: false,
      graceMs: 0,
      pageSize: 2,
      tell: (verdict) => told.push(verdict),
    });
    const { read, isClean } = await of.until(examination, HOUR_MS);
    expect(told).toEqual([]);
    expect(isClean).toBe(true);
    expect(read).toMatchObject({
      orders: 1,
      payments: 1,
      reservations: 1,
      products: 4,
      charges: 1,
    });
    expect(of.effects).toHaveLength(seen);
  });

  test('is not made with a bad setting, which keeps no other from being made', async () => {
    await expect(make({ configuration: { RETRY_MAX_ATTEMPTS: 'many' } })).rejects.toThrow(
      'RETRY_MAX_ATTEMPTS is "many"',
    );
    expect((await make()).runtime.config.RETRY_MAX_ATTEMPTS).toBe(5);
  });

  test("knows a user's token for a day", async () => {
    const of = await make();
    const list = { method: 'GET', path: '/order?limit=5' };
    expect((await of.call({ ...list, user: 'alice' })).body).toEqual({ orders: [], next: null });
    expect((await of.call(list)).status).toBe(401);
    expect((await of.call({ ...list, headers: { authorization: 'Bearer x' } })).status).toBe(401);
    expect((await of.call({ method: 'GET', path: '/nowhere' })).status).toBe(404);
  });
});

function always(operation: string, fault: Fault): WorldInterceptor {
  return (effect, proceed) => (effect.operation === operation ? fault(effect, proceed) : proceed());
}
