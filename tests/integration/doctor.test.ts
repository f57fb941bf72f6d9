import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { httpPaymentGateway } from '../../lib/payments/http-gateway.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import type { Effect } from '../../lib/platform/effects.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';
import { reservationWaitSeconds } from '../../statemachines/constants.ts';
import { GatewayBooks } from '../../tools/doctor/gateway-books.ts';
import { readFacts } from '../../tools/doctor/read-facts.ts';
import { runDoctor } from '../../tools/doctor/run-doctor.ts';
import { lookAtStock } from '../../tools/doctor/stock.ts';
import { consultDoctor, tamper } from '../support/doctor.ts';
import {
  after,
  anyGatewayCall,
  heal,
  httpCall,
  inject,
  refuseConnection,
} from '../support/faults.ts';
import { expectPromisesAtRest, snapshotOf } from '../support/invariants.ts';
import { runTool } from '../support/run-tool.ts';
import { Scene } from '../support/scene.ts';
import { Customer, inventoryCall, newProduct, stockLine } from '../support/shop.ts';
import { aMoment, eventually } from '../support/stack.ts';
import { embeddedOnly, isSimulated } from '../support/target.ts';
import { runNode } from '../unit/companion/run-node.ts';

const RESERVATION_WAIT_MS = reservationWaitSeconds(60) * 1000;

const scene = new Scene({ RESERVATION_TTL_SECONDS: '60', SCHEDULE_SECONDS: '3600' });

const items = (quantity: number) => [{ productId: scene.productId, quantity }];
const REPEATED = { headers: { 'x-allow-duplicate': 'true' } };

/** Leaves orders of every kind behind, all of them at rest. */
async function aDayInTheShop(user: Customer, productId: string): Promise<void> {
  const { stack } = scene;
  const reserved = () => user.reserved(productId, 1, REPEATED);

  const expired = await reserved();
  await stack.clock.advance(RESERVATION_WAIT_MS);
  await eventually(() => user.expectStatus(expired.orderId, 'ORDER_FAILED'));

  for (const token of ['tok_ok', 'tok_async', 'tok_flaky', 'tok_declined']) {
    const { orderId } = await reserved();
    await user.pay(orderId, token, { wait: 10 });
    await eventually(() => user.expectStatus(orderId, 'PAYMENT_DONE', 'PAYMENT_FAILED'));
    if (token === 'tok_declined') await user.retryPayment(orderId, 'tok_ok', { wait: 10 });
  }

  const cancelled = await reserved();
  await user.cancel(cancelled.orderId);

  const modified = await reserved();
  await user.modify(modified.orderId, [{ productId, quantity: 2 }], { wait: 10 });
  await user.modify(modified.orderId, [{ productId, quantity: 99 }], { wait: 10 });
  await user.pay(modified.orderId, 'tok_ok', { wait: 10 });

  const refunded = await reserved();
  inject(stack, {
    on: httpCall('POST', '/confirm$'),
    times: 1,
    act: after(() => inventoryCall(stack, 'DELETE', `${refunded.orderId}?revision=1`)),
  });
  await user.pay(refunded.orderId, 'tok_ok', { wait: 10 });
  heal(stack);

  await user.place([{ productId, quantity: 11 }], { wait: 10 });
  await user.place([{ productId, quantity: 0 }]);
  await expectPromisesAtRest(stack);
}

describe('at the end of a day', () => {
  beforeAll(async () => {
    await aDayInTheShop(await Customer.of(scene.stack), await newProduct(10));
  });

  test.each([1, 3, 100])('nothing is wrong, read %i at a time', async (pageSize) => {
    const { verdicts, summary } = await consultDoctor(scene.stack, { pageSize });
    expect(verdicts).toEqual([]);
    const { orders, payments, products, reservations } = await snapshotOf(scene.stack);
    expect(orders.map(({ status }) => status).sort()).toEqual([
      'INVALID',
      'INVALID',
      'ORDER_CANCELLED',
      'ORDER_FAILED',
      ...Array.from({ length: 5 }, () => 'PAYMENT_DONE'),
      'PAYMENT_FAILED',
    ]);
    expect(summary).toEqual({
      read: {
        orders: 10,
        payments: 7,
        products: products.length,
        reservations: reservations.length,
        charges: payments.length,
      },
      owed: { refunds: 0, voids: 0, releases: 0 },
      found: 0,
      mended: 0,
      left: 0,
      inMotion: { items: 0, products: [] },
      unasked: { orders: 0 },
      isClean: true,
    });
  });

  test('mending nothing changes nothing', async () => {
    const before = await snapshotOf(scene.stack);
    const { summary } = await consultDoctor(scene.stack, { fix: true });
    expect(summary).toMatchObject({ found: 0, mended: 0, isClean: true });
    const byId = (snapshot: typeof before) =>
      Object.values(snapshot)
        .flat()
        .map((item) => JSON.stringify(item))
        .sort();
    expect(byId(await snapshotOf(scene.stack))).toEqual(byId(before));
  });

  test('a gateway that does not answer is told, and nothing counts as clean', async () => {
    const { verdicts, summary } = await consultDoctor(scene.stack, {
      intercept: (effect, proceed) =>
        anyGatewayCall(effect) ? refuseConnection(proceed, effect) : proceed(),
    });
    expect(verdicts).toEqual([]);
    expect(summary).toMatchObject({
      left: 0,
      unasked: { orders: 10, because: 'The payment gateway did not answer.' },
      isClean: false,
    });
  });

  const GRACE_MS = 7000;

  test('what is right again after the grace period is not told', async () => {
    const putBack = await tamper('PRODUCT', scene.productId, (item) => ({ ...item, received: 0 }));
    const graces: number[] = [];
    const clock: Clock = {
      now: () => scene.stack.clock.now(),
      schedule: (delayMs, callback) => {
        // On the simulated stack, the time-outs of calls use this clock too.
        if (delayMs !== GRACE_MS) return scene.stack.clock.schedule(delayMs, callback);
        graces.push(delayMs);
        void putBack().then(callback);
        return () => undefined;
      },
    };
    const { verdicts, summary } = await consultDoctor(scene.stack, { graceMs: GRACE_MS, clock });
    expect(verdicts).toEqual([]);
    expect(summary.isClean).toBe(true);
    expect(graces).toEqual([GRACE_MS]);
  });
});

describe('in the middle of a day, without any grace', () => {
  test('no step of an order between any two of its calls is taken for a disagreement', async () => {
    const { user, stack } = scene;
    const steps: (() => Promise<unknown>)[] = [];
    for (let round = 0; round < 8; round += 1) {
      let orderId = '';
      steps.push(
        async () => {
          ({ orderId } = (await user.place(items(1), REPEATED)).order);
        },
        () => eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT')),
        () => user.modify(orderId, items(2)),
        () => eventually(() => user.expectStatus(orderId, 'PENDING_PAYMENT')),
        () => user.pay(orderId, 'tok_declined'),
        () => eventually(() => user.expectStatus(orderId, 'PAYMENT_FAILED')),
        () => user.retryPayment(orderId, 'tok_async'),
        () => eventually(() => user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS', 'PAYMENT_DONE')),
        () => user.modify(orderId, items(1)),
      );
      if (round % 2 === 1) steps.push(() => scene.freshProduct());
    }
    // The doctor asks the gateway about several orders at once, so the shop's steps must queue up.
    let shop: Promise<unknown> = Promise.resolve();
    while (steps.length > 0) {
      const { verdicts } = await consultDoctor(stack, {
        pageSize: 2,
        intercept: async (_effect, proceed) => {
          shop = shop.then(() => steps.shift()?.());
          await shop;
          return proceed();
        },
      });
      expect(verdicts).toEqual([]);
    }
    await expectPromisesAtRest(stack);
  });

  test('a busy shop gives no false alarm', async () => {
    const { stack } = scene;
    const products = [await newProduct(40), await newProduct(40)];
    const customers = await Promise.all(Array.from({ length: 8 }, () => Customer.of(stack)));
    let shopping = customers.length;
    const shop = Promise.all(
      customers.map(async (customer, index) => {
        for (let round = 0; round < 4; round += 1) {
          await buy(customer, products[(index + round) % 2] ?? '', (index + round) % 4);
        }
        shopping -= 1;
      }),
    );
    do {
      const { verdicts, summary } = await consultDoctor(stack, { pageSize: 20, fix: true });
      expect(verdicts).toEqual([]);
      expect(summary.left).toBe(0);
      await aMoment();
    } while (shopping > 0);
    await shop;
    await expectPromisesAtRest(stack);
  });

  async function buy(customer: Customer, productId: string, kind: number): Promise<void> {
    const { orderId } = await customer.reserved(productId, 1, REPEATED);
    if (kind === 0) await customer.cancel(orderId);
    else if (kind === 1) {
      await customer.pay(orderId, 'tok_declined', { wait: 10 });
      await eventually(() => customer.expectStatus(orderId, 'PAYMENT_FAILED'));
      await customer.retryPayment(orderId, 'tok_ok', { wait: 10 });
    } else if (kind === 2) {
      await customer.modify(orderId, [{ productId, quantity: 3 }], { wait: 10 });
      await customer.pay(orderId, 'tok_async', { wait: 10 });
    } else await customer.pay(orderId, 'tok_ok', { wait: 10 });
  }
});

describe('what changes while it is read', () => {
  /** A runtime for the doctor that does something once, before the first matching effect. */
  function during(on: (effect: Effect) => boolean, happens: () => Promise<unknown>): Runtime {
    let hasHappened = false;
    return scene.stack.runtime({
      clock: scene.stack.clock,
      intercept: async (effect, proceed) => {
        if (!hasHappened && on(effect)) {
          hasHappened = true;
          await happens();
        }
        return proceed();
      },
    });
  }

  async function hasMoved(orderId: string, happens: () => Promise<unknown>): Promise<boolean> {
    const runtime = during(httpCall('GET', '/charges$'), happens);
    const books = new GatewayBooks(httpPaymentGateway(runtime), runtime.clock);
    const [reading] = await readFacts(runtime, books, [{ kind: 'ORDER', orderId }]);
    return reading!.hasMoved;
  }

  test('is known to have moved', async () => {
    const { user } = scene;
    const { orderId } = await user.reserved(scene.productId);
    expect(await hasMoved(orderId, () => Promise.resolve())).toBe(false);
    expect(await hasMoved(orderId, () => user.pay(orderId, 'tok_declined', { wait: 10 }))).toBe(
      true,
    );
    await user.expectStatus(orderId, 'PAYMENT_FAILED');
    const touch = () =>
      tamper('ORDER', orderId, (item) => ({ ...item, writes: Number(item['writes']) + 1 }));
    expect(await hasMoved(orderId, touch)).toBe(true);
    expect(await hasMoved(orderId, () => Promise.resolve())).toBe(false);
  });

  test('is known to have moved where it has just begun', async () => {
    let orderId = 'ord_none';
    expect(await hasMoved(orderId, () => Promise.resolve())).toBe(false);
    const { user } = scene;
    ({ orderId } = await user.reserved(scene.productId));
    const putBack = await tamper('ORDER', orderId, () => undefined);
    expect(await hasMoved(orderId, putBack)).toBe(true);
    await user.cancel(orderId);
  });

  test('is known to have moved where stock was taken and given back', async () => {
    const { user, productId } = scene;
    const scan = ({ operation }: Effect) => operation === 'Scan';
    const looks = await lookAtStock(
      during(scan, async () => {
        const { orderId } = await user.reserved(productId);
        await user.cancel(orderId);
        await eventually(async () => {
          expect(await stockLine(scene.stack, productId)).toBe('10/0/0');
        });
      }),
      100,
      { productIds: [productId] },
    );
    expect(looks).toEqual([{ subject: productId, findings: [], hasMoved: true }]);
  });
});

describe('npm run doctor', () => {
  const tool = fileURLToPath(new URL('../../tools/doctor.ts', import.meta.url));

  function run(...args: readonly string[]) {
    return runTool(runDoctor, scene.stack, ['--grace', '0', ...args]);
  }

  test('ends with 0 where everything agrees', async () => {
    if (isSimulated) embeddedOnly('a process of its own reaches the stack');
    const { exitCode, stdout, stderr } = await runNode([tool, '--grace', '0'], {
      COMPANION_URL: scene.stack.companionUrl,
    });
    expect(stdout).toMatch(/^Read \d+ orders, \d+ payments, .*\nNo disagreement\.\n$/);
    expect([exitCode, stderr]).toEqual([0, '']);
  });

  test('ends with 1 where something is left, and says what', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const putBack = await tamper('PRODUCT', scene.productId, (item) => ({ ...item, received: 9 }));
    const text = await run();
    const json = await run('--json');
    await putBack();
    await scene.user.cancel(orderId);

    expect([text.exitCode, json.exitCode]).toEqual([1, 1]);
    expect(text.stdout).toContain(
      `P1 stock-balance: product ${scene.productId}
   found     available 9 + reserved 1 + sold 0, received 9
`,
    );
    expect(text.stdout).toMatch(/1 disagreement: 0 mended, 1 left\.\n$/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      disagreements: [{ check: 'stock-balance', productId: scene.productId, outcome: 'FOUND' }],
      summary: { found: 1, mended: 0, left: 1, isClean: false },
    });
  });

  test('mends with --fix, says nothing but that, and finds nothing the second time', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await tamper(
      'ORDER',
      orderId,
      ({ dueAtMs: _at, dueShard: _shard, dueKeyMs: _key, ...item }) => item,
    );

    const untouched = await run('--json');
    const mended = await run('--json', '--fix');
    const again = await run('--json', '--fix');

    expect([untouched, mended, again].map(({ exitCode }) => exitCode)).toEqual([1, 0, 0]);
    expect(JSON.parse(mended.stdout)).toMatchObject({
      disagreements: [{ check: 'due-missing', orderId, isFixable: true, outcome: 'MENDED' }],
      summary: { found: 1, mended: 1, left: 0, isClean: true },
    });
    expect(JSON.parse(again.stdout)).toMatchObject({ disagreements: [], summary: { found: 0 } });
    await scene.user.cancel(orderId);
  });

  test('prints its usage', async () => {
    const { exitCode, stdout } = await run('--help');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Usage: npm run -s doctor/);
  });

  test.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ['an unknown option', ['--fixit'], {}, /Unknown option '--fixit'[^]*Usage:/],
    [
      'a local stack that does not run',
      [],
      { COMPANION_URL: 'http://127.0.0.1:9' },
      /No local stack answers at http:\/\/127\.0\.0\.1:9\. Start it with: npm start/,
    ],
  ])('ends with 2 for %s', async (_what, args, environment, message) => {
    const { exitCode, stdout, stderr } = await runNode([tool, ...args], environment);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n +at /);
  });

  test('ends with 2 where a table cannot be read', async () => {
    if (isSimulated) embeddedOnly('a process of its own reaches the stack');
    const companion = await standIn({ ...scene.stack.environment, ORDERS_TABLE: 'no-such-table' });
    const { exitCode, stderr } = await runNode([tool], { COMPANION_URL: companion.url });
    companion.stop();
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^The stage's tables cannot be read \(ResourceNotFoundException: /);
  });

  /** A companion that belongs to another stack. */
  async function standIn(environment: Readonly<Record<string, string>>) {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ environment }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${String(port)}`, stop: () => server.close() };
  }
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
