import { describe, expect, test } from 'vitest';
import { sleep } from '../../lib/platform/clock.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import { reservationWaitSeconds } from '../../statemachines/constants.ts';
import {
  anyGatewayCall,
  anyInventoryCall,
  databaseCall,
  dieAfter,
  dieBefore,
  type Fault,
  firstWriteOfRun,
  heal,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
  stateMachineCall,
} from '../support/faults.ts';
import { expectPromisesAtRest, expectRest, snapshotOf } from '../support/invariants.ts';
import { chargedLate, endHold } from '../support/late.ts';
import { dispatch, sweep } from '../support/rounds.ts';
import { Scene } from '../support/scene.ts';
import {
  Customer,
  chargesOf,
  inventoryCall,
  type OrderDocument,
  stockLine,
} from '../support/shop.ts';
import { abortExecution, asTimeGoesOn, eventually, executions, runOf } from '../support/stack.ts';

const writing = databaseCall('PutItem', 'orders');

const RESERVATION_TTL_MS = 60_000;
const DISPATCH_AFTER_MS = 30_000;

const scene = new Scene({ RESERVATION_TTL_SECONDS: '60', SCHEDULE_SECONDS: '3600' });

const one = () => [{ productId: scene.productId, quantity: 1 }];

async function runs(orderId: string): Promise<string[]> {
  return (await executions(scene.stack, orderId)).map(
    (execution) => `${String(runOf(execution))} ${String(execution.status)}`,
  );
}

/** The id of the user's only order, even if no response named it. */
async function onlyOrder(): Promise<string> {
  const { orders } = await snapshotOf(scene.stack);
  const own = orders.filter(({ userId }) => userId === scene.user.userId);
  expect(own).toHaveLength(1);
  return own[0]?.orderId ?? '';
}

/** Lets time pass, with the schedule, until the order has one of the statuses. */
function dispatchedUntil(orderId: string, ...statuses: readonly string[]): Promise<OrderDocument> {
  return asTimeGoesOn(
    scene.stack,
    async () => {
      await scene.stack.runSchedules();
      return scene.user.expectStatus(orderId, ...statuses);
    },
    { stepSeconds: 10 },
  );
}

describe('an order whose handler', () => {
  test.each<[string, Fault]>([
    [
      'died before it could start the saga',
      { on: stateMachineCall('StartExecution'), act: dieBefore },
    ],
    ['could not reach the saga', { on: stateMachineCall('StartExecution'), act: refuseConnection }],
  ])('%s is started by the dispatcher', async (_what, fault) => {
    inject(scene.stack, { ...fault, times: 1 });
    const answer = await scene.user.place(one());
    expect([202, 502]).toContain(answer.status);
    const orderId = await onlyOrder();
    expect(await runs(orderId)).toEqual([]);
    await scene.stack.runSchedules();
    await scene.user.expectStatus(orderId, 'CREATED');

    await scene.stack.clock.advance(DISPATCH_AFTER_MS);
    await scene.stack.runSchedules();

    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
    expect(await runs(orderId)).toEqual(['1 RUNNING']);
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });

  test.each<[string, Fault]>([
    [
      'died right after it had started the saga',
      { on: stateMachineCall('StartExecution'), act: dieAfter },
    ],
    [
      'did not hear that the saga started',
      { on: stateMachineCall('StartExecution'), act: loseAnswer },
    ],
  ])('%s is run once', async (_what, fault) => {
    inject(scene.stack, { ...fault, times: 1 });
    await scene.user.place(one());
    const orderId = await onlyOrder();
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
    await scene.stack.clock.advance(DISPATCH_AFTER_MS);
    await scene.stack.runSchedules();
    expect(await runs(orderId)).toEqual(['1 RUNNING']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
    await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
  });
});

describe('an order whose execution is aborted', () => {
  test('while it is CREATED moves on with its next run', async () => {
    // The run's first write dies; its retry comes a moment later.
    const died = inject(scene.stack, { on: firstWriteOfRun(), act: dieBefore });
    const { orderId } = (await scene.user.place(one())).order;
    await eventually(() => {
      expect(died.strikes).toBeGreaterThan(0);
    });
    expect(await runs(orderId)).toEqual(['1 RUNNING']);
    await abortExecution(scene.stack, orderId);
    heal(scene.stack);
    await scene.user.expectStatus(orderId, 'CREATED');

    const order = await dispatchedUntil(orderId, 'PENDING_PAYMENT');

    expect(await runs(orderId)).toEqual(['1 ABORTED', '2 RUNNING']);
    expect(order.history.map(({ to }) => to)).toEqual([
      'CREATED',
      'PENDING_RESERVING_STOCK',
      'PENDING_PAYMENT',
    ]);
    await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
  });

  test('while its stock is being reserved moves on with its next run and reserves once', async () => {
    inject(scene.stack, { on: anyInventoryCall, act: loseAnswer });
    const { orderId } = (await scene.user.place(one())).order;
    await eventually(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
    });
    await abortExecution(scene.stack, orderId);
    heal(scene.stack);
    await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');

    await dispatchedUntil(orderId, 'PENDING_PAYMENT', 'ORDER_FAILED');

    expect((await runs(orderId))[0]).toBe('1 ABORTED');
    expect(await runs(orderId)).toHaveLength(2);
    await dispatchedUntil(orderId, 'ORDER_FAILED');
    await eventually(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    });
  });

  test('while its refused change is being undone keeps its old items, and says so', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    // The new items are refused, then the old ones take the new revision; nobody can write that down.
    const reserving = httpCall('PUT', `/inventory/reservation/${orderId}$`);
    const kept = { isHeld: false };
    inject(
      scene.stack,
      { on: reserving, times: 1, act: (proceed) => proceed() },
      {
        on: reserving,
        act: async (proceed) => {
          const answer = await proceed();
          kept.isHeld = true;
          return answer;
        },
      },
      {
        on: (effect) => kept.isHeld && writing(effect),
        act: dieBefore,
      },
    );
    await scene.user.modify(orderId, [{ productId: scene.productId, quantity: 100 }]);
    await eventually(() => {
      expect(kept.isHeld).toBe(true);
    });
    await abortExecution(scene.stack, orderId);
    heal(scene.stack);

    const order = await dispatchedUntil(orderId, 'PENDING_PAYMENT');

    expect(order.items).toMatchObject(one());
    expect(order.modification).toEqual({ status: 'REJECTED', code: 'INVENTORY_UNAVAILABLE' });
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
    await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
  });

  test('while it waits for its payment can still be paid', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await abortExecution(scene.stack, orderId);

    const paying = await scene.user.pay(orderId, 'tok_ok');

    expect(paying.status).toBe(202);
    await dispatchedUntil(orderId, 'PAYMENT_DONE');
    await eventually(async () => {
      expect(await runs(orderId)).toEqual(['1 ABORTED', '2 SUCCEEDED']);
    });
    expect(await chargesOf(scene.stack, orderId)).toHaveLength(1);
  });

  test('while it waits for its payment still expires', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 4);
    await abortExecution(scene.stack, orderId);

    const order = await dispatchedUntil(orderId, 'ORDER_FAILED');

    expect(order.reason).toBe('RESERVATION_EXPIRED');
    await eventually(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    });
    await eventually(async () => {
      expect(await runs(orderId)).toEqual(['1 ABORTED', '2 SUCCEEDED']);
    });
  });

  test('while a charge is under way is charged once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ack_lost')).payment;
    await eventually(async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('PENDING');
    });
    await abortExecution(scene.stack, orderId);
    await scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');

    await dispatchedUntil(orderId, 'PAYMENT_DONE');

    expect((await runs(orderId))[0]).toBe('1 ABORTED');
    expect((await chargesOf(scene.stack, orderId)).map(({ status }) => status)).toEqual([
      'CAPTURED',
    ]);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });

  test('between capture and confirmation is confirmed, never refunded', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(scene.stack, { on: httpCall('POST', '/confirm$'), act: refuseConnection });
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ok')).payment;
    await eventually(async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('CAPTURED');
    });
    await abortExecution(scene.stack, orderId);
    heal(scene.stack);

    await dispatchedUntil(orderId, 'PAYMENT_DONE');

    expect((await scene.user.order(orderId)).refunds).toEqual([]);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });

  test('again and again moves on each time with one run more', async () => {
    inject(scene.stack, { on: anyInventoryCall, act: refuseConnection });
    const { orderId } = (await scene.user.place(one())).order;
    await eventually(() => scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK'));
    for (const run of [1, 2, 3]) {
      await eventually(async () => {
        expect(await runs(orderId)).toHaveLength(run);
      });
      await abortExecution(scene.stack, orderId, run);
      await asTimeGoesOn(
        scene.stack,
        async () => {
          await scene.stack.runSchedules();
          expect(await runs(orderId)).toHaveLength(run + 1);
        },
        { stepSeconds: 60, limitSeconds: 1800 },
      );
    }
    heal(scene.stack);
    await dispatchedUntil(orderId, 'PENDING_PAYMENT', 'ORDER_FAILED');
    expect((await runs(orderId)).slice(0, 3)).toEqual(['1 ABORTED', '2 ABORTED', '3 ABORTED']);
    await dispatchedUntil(orderId, 'ORDER_FAILED');
  });
});

describe('a signal that', () => {
  test.each<[string, Fault['act'], number]>([
    ['is lost on its way', refuseConnection, 202],
    ['dies with its handler', dieBefore, 502],
    ['does its work but whose answer is lost', loseAnswer, 202],
    ['does its work before its handler dies', dieAfter, 502],
  ])('%s does not keep the order from being paid once', async (_what, act, status) => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const lost = inject(scene.stack, { on: stateMachineCall('SendTaskSuccess'), times: 1, act });

    expect((await scene.user.pay(orderId, 'tok_ok')).status).toBe(status);

    await dispatchedUntil(orderId, 'PAYMENT_DONE');
    expect(lost.strikes).toBe(1);
    expect((await runs(orderId)).map((run) => run.split(' ')[0])).toEqual(['1']);
    expect((await chargesOf(scene.stack, orderId)).map(({ status: charged }) => charged)).toEqual([
      'CAPTURED',
    ]);
  });
});

describe('a saga step that dies', () => {
  test.each<[string, Fault]>([
    ['before its first write', { on: firstWriteOfRun(), act: dieBefore }],
    ['after its first write', { on: firstWriteOfRun(), act: dieAfter }],
    ['before it reserves', { on: httpCall('PUT', '/inventory/'), act: dieBefore }],
    ['after it reserved', { on: httpCall('PUT', '/inventory/'), act: dieAfter }],
  ])('%s is repeated, and the order reserves once', async (_what, fault) => {
    const died = inject(scene.stack, { ...fault, times: 1 });
    const { orderId } = (await scene.user.place(one())).order;
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'), {
      stepSeconds: 1,
    });
    expect(died.strikes).toBe(1);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
  });

  test.each<[string, Fault, boolean?]>([
    ['before it extends', { on: httpCall('POST', '/extend$'), act: dieBefore }, true],
    ['after it extended', { on: httpCall('POST', '/extend$'), act: dieAfter }, true],
    ['before it charges', { on: httpCall('POST', '/gateway/charges$'), act: dieBefore }],
    ['after it charged', { on: httpCall('POST', '/gateway/charges$'), act: dieAfter }],
    ['before it stores the capture', { on: writing, act: dieBefore }],
    ['after it stored the capture', { on: writing, act: dieAfter }],
    ['before it confirms', { on: httpCall('POST', '/confirm$'), act: dieBefore }],
    ['after it confirmed', { on: httpCall('POST', '/confirm$'), act: dieAfter }],
  ])('%s leaves one outcome and at most one charge', async (_what, fault, isLate = false) => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const late = isLate ? [chargedLate(orderId)] : [];
    // The payment's own write is no step's.
    const begun: Fault = { on: databaseCall('PutItem', 'orders'), times: 1, act: (go) => go() };
    const died = inject(scene.stack, ...late, begun, { ...fault, times: 1 });
    await scene.user.pay(orderId, 'tok_ok');
    const order = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PAYMENT_DONE', 'PAYMENT_FAILED'),
      { stepSeconds: 10 },
    );
    expect(died.strikes).toBe(2 + late.length);
    const isDone = order.status === 'PAYMENT_DONE';
    expect(await stockLine(scene.stack, scene.productId)).toBe(isDone ? '9/0/1' : '10/0/0');
    expect(
      (await chargesOf(scene.stack, orderId)).filter(({ status }) => status === 'CAPTURED'),
    ).toHaveLength(isDone ? 1 : 0);
  });

  test('after Inventory has sold the stock is followed by a paid order, even if the gateway is away', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    let isAway = false;
    const died = inject(
      scene.stack,
      {
        on: httpCall('POST', '/confirm$'),
        times: 1,
        act: (proceed, effect) => {
          isAway = true;
          return dieAfter(proceed, effect);
        },
      },
      // The capture was written down before, so nobody has to ask.
      { on: (effect) => isAway && anyGatewayCall(effect), act: refuseConnection },
    );
    await scene.user.pay(orderId, 'tok_ok');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect(died.strikes).toBe(1);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });
});

describe('when its time is up, a reservation', () => {
  test('fails its order and gives the stock back', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 3);
    expect(await stockLine(scene.stack, scene.productId)).toBe('7/3/0');
    await scene.stack.clock.advance(RESERVATION_TTL_MS / 2);
    await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');

    // The wait ends by itself, later than the reservation by the longest try of its step.
    await scene.stack.clock.advance(
      reservationWaitSeconds(RESERVATION_TTL_MS / 1000) * 1000 - RESERVATION_TTL_MS / 2,
    );
    await scene.freshToken();

    const order = await eventually(() => scene.user.expectStatus(orderId, 'ORDER_FAILED'));
    expect(order).toMatchObject({
      reason: 'RESERVATION_EXPIRED',
      reservationExpiresAt: null,
      paymentUrl: null,
    });
    await eventually(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    });
    expect((await scene.user.pay(orderId, 'tok_ok')).summary).toBe('409 ILLEGAL_TRANSITION');
  });

  test('is given back by the dispatcher as soon as it looks', async () => {
    const { orderId, reservationExpiresAt } = await scene.user.reserved(scene.productId, 3);
    await scene.stack.clock.advance(RESERVATION_TTL_MS - 3000);
    await scene.stack.runSchedules();
    await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    await scene.stack.clock.advance(3000);
    await scene.stack.runSchedules();

    const order = await eventually(() => scene.user.expectStatus(orderId, 'ORDER_FAILED'));
    expect(order.reason).toBe('RESERVATION_EXPIRED');
    const endedAtMs = Date.parse(order.history.at(-1)?.at ?? '');
    expect(endedAtMs).toBeLessThan(Date.parse(reservationExpiresAt ?? '') + 5000);
    expect(await runs(orderId)).toHaveLength(1);
    await eventually(async () => {
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    });
  });

  test('is not given back while a payment of it is under way', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await scene.stack.clock.advance(RESERVATION_TTL_MS - 5000);
    await scene.user.pay(orderId, 'tok_ack_lost');
    await eventually(async () => {
      const { paymentId } = await scene.user.order(orderId);
      expect((await scene.user.payment(paymentId ?? '')).status).toBe('PENDING');
    });
    await scene.stack.clock.advance(60_000);
    await scene.stack.runSchedules();
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');
    await dispatchedUntil(orderId, 'PAYMENT_DONE');
  });

  /** The first such write after the call is the payment's. */
  const paymentWrite = databaseCall('PutItem', 'orders');

  /**
   * All of them wait on the stack's own clock, so that any may come first:
   *
   * pay     reads ────────────── T ── payMs ──▶ writes (or when the order has ended)
   * expire                       T ── expireMs ──▶ the dispatcher signals; the step reads, writes
   * sweep                        T ── sweepMs ──▶ (or never)
   */
  test.each([
    { payMs: -500, expireMs: 0, sweepMs: undefined },
    { payMs: undefined, expireMs: 0, sweepMs: undefined },
    { payMs: 200, expireMs: 200, sweepMs: undefined },
    { payMs: 200, expireMs: 400, sweepMs: undefined },
    { payMs: 400, expireMs: 200, sweepMs: undefined },
    { payMs: -500, expireMs: 300, sweepMs: 100 },
    { payMs: 50, expireMs: 300, sweepMs: 100 },
    { payMs: 200, expireMs: 300, sweepMs: 100 },
    { payMs: 300, expireMs: 200, sweepMs: 100 },
    { payMs: 100, expireMs: 100, sweepMs: 100 },
    { payMs: 100, expireMs: 101, sweepMs: 102 },
    { payMs: 102, expireMs: 101, sweepMs: 100 },
  ])(
    'and a payment at the same moment: one of them wins ($payMs, $expireMs, $sweepMs)',
    async ({ payMs, expireMs, sweepMs }) => {
      const { orderId, reservationExpiresAt } = await scene.user.reserved(scene.productId);
      const timeIsUpMs = Date.parse(reservationExpiresAt ?? '');
      const { clock } = currentRuntime();
      await scene.stack.clock.advance(timeIsUpMs - 1000 - scene.stack.clock.now());
      const ended = Promise.withResolvers<unknown>();
      const held = inject(scene.stack, {
        on: paymentWrite,
        times: 1,
        act: async (proceed) => {
          await (payMs === undefined
            ? ended.promise
            : sleep(clock, Math.max(0, timeIsUpMs + payMs - clock.now())));
          return proceed();
        },
      });
      const afterwards = (offsetMs: number, round: () => Promise<number>) => {
        scene.stack.clock.schedule(timeIsUpMs + offsetMs - scene.stack.clock.now(), () => {
          void round();
        });
      };
      afterwards(expireMs, dispatch);
      if (sweepMs !== undefined) afterwards(sweepMs, sweep);
      const paying = scene.user.pay(orderId, 'tok_ok');
      await eventually(() => {
        expect(held.strikes).toBeGreaterThan(0);
      });

      await scene.stack.clock.advance(5000);
      if (payMs === undefined) ended.resolve(await dispatchedUntil(orderId, 'ORDER_FAILED'));

      const answer = await paying;
      const order = await dispatchedUntil(
        orderId,
        'PAYMENT_DONE',
        'PAYMENT_FAILED',
        'ORDER_FAILED',
      );
      const charges = (await chargesOf(scene.stack, orderId)).map(({ status }) => status);
      const outcome = `${String(answer.status)} ${order.status} ${charges.join()}`;
      expect([
        '202 PAYMENT_DONE CAPTURED',
        // The sweeper came between the payment and its charge.
        '202 PAYMENT_FAILED ',
        '409 ORDER_FAILED ',
      ]).toContain(outcome);
      if (payMs === undefined) expect(outcome).toBe('409 ORDER_FAILED ');
      if (sweepMs === undefined) expect(order.status).not.toBe('PAYMENT_FAILED');
      await eventually(async () => {
        expect(await stockLine(scene.stack, scene.productId)).toBe(
          order.status === 'PAYMENT_DONE' ? '9/0/1' : '10/0/0',
        );
      });
      await expectPromisesAtRest(scene.stack);
    },
  );

  test('is released by the sweeper alone, whatever happened to the saga', async () => {
    const { orderId } = await scene.user.reserved(scene.productId, 2);
    await abortExecution(scene.stack, orderId);
    await scene.stack.clock.advance(RESERVATION_TTL_MS + 1000);
    await sweep();
    // Held on, for a payment that was begun in time.
    expect(await stockLine(scene.stack, scene.productId)).toBe('8/2/0');
    await endHold(orderId);
    await sweep();
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    expect((await inventoryCall(scene.stack, 'GET', orderId)).summary).toBe('200 RELEASED');
    await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    await dispatchedUntil(orderId, 'ORDER_FAILED');
  });
});

describe('the dispatcher', () => {
  test('run by several at once starts nothing twice', async () => {
    inject(scene.stack, { on: stateMachineCall('StartExecution'), act: dieBefore });
    const users = await Promise.all(Array.from({ length: 6 }, () => Customer.of(scene.stack)));
    for (const each of users) await each.place(one());
    heal(scene.stack);
    const reserved = await Promise.all(
      users.map((each) =>
        each.reserved(scene.productId, 1, {
          headers: { 'x-allow-duplicate': 'true' },
        }),
      ),
    );
    for (const { orderId } of reserved.slice(0, 3)) await abortExecution(scene.stack, orderId);
    await scene.stack.clock.advance(RESERVATION_TTL_MS + DISPATCH_AFTER_MS + 5000);

    for (let round = 0; round < 3; round += 1) {
      await Promise.all([...[1, 2, 3].map(() => dispatch()), ...[1, 2].map(() => sweep())]);
    }

    const { orders: stored } = await snapshotOf(scene.stack);
    const own = stored.filter(({ userId }) => users.some((each) => each.userId === userId));
    expect(own).toHaveLength(12);
    for (const order of own) {
      const isAborted = reserved.slice(0, 3).some(({ orderId }) => orderId === order.orderId);
      const names = (await runs(order.orderId)).map((run) => Number(run.split(' ')[0]));
      expect(names).toEqual(isAborted ? [1, 2] : [1]);
    }
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.runSchedules();
      expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    });
  });

  test('does nothing where nothing is due', async () => {
    await scene.inTime(async () => {
      const { orders } = await expectRest(scene.stack);
      expect(orders.filter(({ status }) => status === 'PENDING_PAYMENT')).toEqual([]);
    });
    await scene.freshToken();
    const { orderId, version } = await scene.user.reserved(scene.productId);
    const before = await snapshotOf(scene.stack);
    const started = (await executions(scene.stack)).length;

    await scene.stack.runSchedules();
    expect(await dispatch()).toBe(0);

    expect(await snapshotOf(scene.stack)).toEqual(before);
    expect((await scene.user.order(orderId)).version).toBe(version);
    expect(await executions(scene.stack)).toHaveLength(started);
  });

  test('that finds the database gone for one order still does the others', async () => {
    inject(scene.stack, { on: stateMachineCall('StartExecution'), act: dieBefore });
    const users = await Promise.all(Array.from({ length: 4 }, () => Customer.of(scene.stack)));
    for (const each of users) await each.place(one());
    heal(scene.stack);
    await scene.stack.clock.advance(DISPATCH_AFTER_MS);
    inject(scene.stack, {
      on: stateMachineCall('StartExecution'),
      times: 1,
      act: refuseConnection,
    });

    await scene.stack.runSchedules();

    const { orders } = await snapshotOf(scene.stack);
    const own = orders.filter(({ userId }) => users.some((each) => each.userId === userId));
    const started = await Promise.all(own.map(async ({ orderId }) => (await runs(orderId)).length));
    expect(started.sort()).toEqual([0, 1, 1, 1]);
    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.runSchedules();
      const { orders: later } = await snapshotOf(scene.stack);
      const ids = own.map(({ orderId }) => orderId);
      const statuses = later
        .filter(({ orderId }) => ids.includes(orderId))
        .map(({ status }) => status);
      expect(statuses.filter((status) => status !== 'ORDER_FAILED')).toEqual([]);
    });
  });
});

test('at the end every promise holds', async () => {
  await asTimeGoesOn(scene.stack, async () => {
    await scene.stack.runSchedules();
    const { orders } = await snapshotOf(scene.stack);
    expect(orders.filter(({ status }) => status === 'PENDING_PAYMENT')).toEqual([]);
  });
  await expectPromisesAtRest(scene.stack);
});
