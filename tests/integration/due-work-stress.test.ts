import { describe, expect, test } from 'vitest';
import { orderService } from '../../lib/orders/whole-order-service.ts';
import { atMost } from '../../lib/platform/concurrency.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import { messagesAbout } from '../support/dlq.ts';
import {
  busyDatabase,
  dieBefore,
  firstWriteOfRun,
  heal,
  inject,
  refuseConnection,
  stateMachineCall,
} from '../support/faults.ts';
import {
  expectPromisesAtRest,
  expectRest,
  snapshotOf,
  storedOrder,
} from '../support/invariants.ts';
import { LEFT_OVER, type LeftOverOrder } from '../support/left-over.ts';
import { dispatch, sweep } from '../support/rounds.ts';
import { Scene } from '../support/scene.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { type Items, newProduct } from '../support/shop.ts';
import { abortExecution, asTimeGoesOn, eventually, executions, runOf } from '../support/stack.ts';
import { isSimulated } from '../support/target.ts';

const MINUTE_MS = 60_000;

const DAY_MS = 24 * 60 * MINUTE_MS;

const scene = new Scene({ RESERVATION_TTL_SECONDS: '600', SCHEDULE_SECONDS: '3600' });

/** Longer than any state that is left over lasts. */
const ALL_DUE_MS = 17 * MINUTE_MS;

interface LeftOver {
  readonly kind: keyof typeof LEFT_OVER;
  /** Statuses of its executions at rest, one per run. */
  readonly runs: readonly string[];
  /** Possible statuses of the order at rest. */
  readonly rest: readonly string[];
}

const KINDS: readonly LeftOver[] = [
  { kind: 'created', runs: ['1 RUNNING'], rest: ['PENDING_PAYMENT'] },
  { kind: 'reserving', runs: ['1 RUNNING'], rest: ['PENDING_PAYMENT'] },
  { kind: 'reservedUnheard', runs: ['1 SUCCEEDED'], rest: ['ORDER_FAILED'] },
  { kind: 'waiting', runs: ['1 SUCCEEDED'], rest: ['ORDER_FAILED'] },
  // The sweeper races the charge, which extends the reservation.
  { kind: 'paying', runs: ['1 SUCCEEDED'], rest: ['PAYMENT_DONE', 'PAYMENT_FAILED'] },
  {
    kind: 'awaitingAcknowledgement',
    runs: ['1 SUCCEEDED'],
    rest: ['PAYMENT_DONE', 'PAYMENT_FAILED'],
  },
  { kind: 'captured', runs: ['1 SUCCEEDED'], rest: ['PAYMENT_DONE'] },
  { kind: 'cancelled', runs: [], rest: ['ORDER_CANCELLED'] },
  { kind: 'failed', runs: [], rest: ['ORDER_FAILED'] },
  { kind: 'invalid', runs: [], rest: ['INVALID'] },
  { kind: 'owingVoid', runs: [], rest: ['PAYMENT_FAILED'] },
  { kind: 'owingRefund', runs: [], rest: ['PAYMENT_FAILED'] },
  { kind: 'paid', runs: [], rest: ['PAYMENT_DONE'] },
];

/** An order whose first run was aborted before it did anything. */
const ABORTED: LeftOver = {
  kind: 'created',
  runs: ['1 ABORTED', '2 RUNNING'],
  rest: ['PENDING_PAYMENT'],
};

/** Number of orders in the test of the rounds; in real time, fewer of them keep all rounds busy. */
const OF_EACH_KIND = isSimulated ? 8 : 3;

/** Creates `ofEach` orders of every kind; returns them by id. */
async function leaveOver(ofEach: number): Promise<Map<string, LeftOver>> {
  const productId = await newProduct(10_000);
  const inTurn = atMost(8);
  const make = (left: LeftOver) =>
    Promise.all(
      Array.from({ length: ofEach }, () => inTurn(() => LEFT_OVER[left.kind](productId))),
    );
  const leftOver = new Map<string, LeftOver>();
  for (const left of KINDS) {
    for (const { orderId } of await make(left)) leftOver.set(orderId, left);
  }
  const aborted = await make(ABORTED);
  await abortRuns(aborted);
  for (const { orderId } of aborted) leftOver.set(orderId, ABORTED);
  return leftOver;
}

/** Starts each order's run, which dies before its first write, then aborts it as an operator would. */
async function abortRuns(orders: readonly LeftOverOrder[]): Promise<void> {
  const died = inject(scene.stack, { on: firstWriteOfRun(false), act: dieBefore });
  const { saga } = orderService(currentRuntime());
  for (const { orderId, run, correlationId } of orders) {
    const { strikes } = died;
    await saga.start({ orderId, run, correlationId });
    await eventually(() => {
      expect(died.strikes).toBeGreaterThan(strikes);
    });
    await abortExecution(scene.stack, orderId, run);
  }
  // A retry may just have begun.
  await scene.stack.clock.settle();
  heal(scene.stack);
}

/** Runs two dispatchers and two sweepers concurrently; rejects if one could not read everything. */
function rounds(): Promise<unknown> {
  return Promise.allSettled([dispatch(), dispatch(), sweep(), sweep()]);
}

/** Run and status of every execution, by order. */
async function runsByOrder(): Promise<Map<string, string[]>> {
  const runs = new Map<string, string[]>();
  for (const execution of await executions(scene.stack)) {
    const orderId = execution.name?.slice(0, execution.name.lastIndexOf('-')) ?? '';
    const line = `${String(runOf(execution))} ${String(execution.status)}`;
    runs.set(orderId, [...(runs.get(orderId) ?? []), line]);
  }
  return runs;
}

test('two dispatchers and two sweepers bring everything to rest and start only what is owed', async () => {
  const leftOver = await leaveOver(OF_EACH_KIND);
  scene.stack.clock.skip(ALL_DUE_MS);

  await asTimeGoesOn(
    scene.stack,
    async () => {
      await rounds();
      await expectRest(scene.stack);
    },
    { stepSeconds: 1, limitSeconds: 60 },
  );

  const { orders } = await snapshotOf(scene.stack);
  const statuses = new Map(orders.map(({ orderId, status }) => [orderId, status]));
  const runs = await runsByOrder();
  for (const [orderId, { kind, runs: expected, rest }] of leftOver) {
    expect(runs.get(orderId) ?? [], kind).toEqual(expected);
    expect(rest, kind).toContain(statuses.get(orderId));
  }
  expect(await dispatch()).toBe(0);
  expect(await sweep()).toBe(0);
  await expectPromisesAtRest(scene.stack);
});

/** Checks that runs start in turn: each begins after the one before has ended, up to the order's own. */
async function expectRunsInTurn(leftOver: ReadonlyMap<string, LeftOver>): Promise<void> {
  const { orders } = await snapshotOf(scene.stack);
  const all = await executions(scene.stack);
  for (const [orderId, { kind, runs }] of leftOver) {
    const own = all.filter(({ name }) => name?.startsWith(`${orderId}-`));
    const order = orders.find((stored) => stored.orderId === orderId);
    const last = runs.length === 0 ? 0 : (order?.run ?? 0);
    expect(own.map(runOf), kind).toEqual(Array.from({ length: last }, (_none, index) => index + 1));
    for (const [index, { startDate }] of own.slice(1).entries()) {
      expect(own[index]?.stopDate?.getTime()).toBeLessThanOrEqual(startDate?.getTime() ?? 0);
    }
  }
}

test.each([
  { percent: 10, seed: 1 },
  { percent: 30, seed: 2 },
])(
  'with $percent % of all calls of DynamoDB refused, everything comes to rest as time goes on',
  async ({ percent, seed }) => {
    const leftOver = await leaveOver(3);
    const random = seededRandom(seed);
    scene.stack.clock.skip(ALL_DUE_MS);
    const refused = inject(scene.stack, {
      on: ({ kind }) => kind === 'dynamodb' && random() * 100 < percent,
      act: busyDatabase(random),
    });

    await asTimeGoesOn(
      scene.stack,
      async () => {
        await rounds();
        await expectRest(scene.stack);
      },
      { stepSeconds: 60, limitSeconds: 6 * 3600 },
    );

    expect(refused.strikes).toBeGreaterThan(50);
    heal(scene.stack);
    await expectRunsInTurn(leftOver);
    await expectPromisesAtRest(scene.stack);
  },
);

describe('an order that cannot be dispatched', () => {
  test('leaves a dead letter a quarter of an hour later, stays due, and moves on at last', async () => {
    const { orderId, correlationId } = await LEFT_OVER.created(await newProduct(10));
    const { dueAtMs = 0 } = await storedOrder(scene.stack, orderId);
    inject(scene.stack, { on: stateMachineCall('StartExecution'), act: refuseConnection });
    const letters = () => messagesAbout(scene.stack, 'SagaDeadLetterQueue', orderId);

    scene.stack.clock.skip(dueAtMs + 14 * MINUTE_MS - scene.stack.clock.now());
    await dispatch();
    expect(letters()).toEqual([]);
    scene.stack.clock.skip(MINUTE_MS);
    await dispatch();

    expect(letters()).toEqual([
      {
        orderId,
        run: 1,
        correlationId,
        step: 'dispatch-due-work',
        error: 'InfrastructureUnavailable',
        at: expect.any(String),
      },
    ]);
    expect(await storedOrder(scene.stack, orderId)).toMatchObject({ status: 'CREATED', dueAtMs });
    heal(scene.stack);
    await dispatch();
    await eventually(async () => {
      expect((await storedOrder(scene.stack, orderId)).status).toBe('PENDING_PAYMENT');
    });
  });
});

/** The orders below to which the system owes nothing. */
const RESTING = ['done', 'declined', 'cancelled', 'invalid', 'failed'] as const;

/** One order in every status that a user can see, by kind; two of them lost their execution. */
async function ordersOfAUser() {
  const { stack, user } = scene;
  const productId = await newProduct(1000);
  let quantity = 0;
  const reserved = async () => {
    // Another quantity each, so that none is a duplicate.
    quantity += 1;
    return (await user.reserved(productId, quantity)).orderId;
  };
  const paying = async (token: string, status: string) => {
    const orderId = await reserved();
    const { paymentId } = (await user.pay(orderId, token)).payment;
    await eventually(async () => {
      expect((await user.payment(paymentId)).status).toBe(status);
    });
    return orderId;
  };
  const aborted = async (orderId: string) => {
    await abortExecution(stack, orderId);
    return orderId;
  };
  const placed = async (items: Items) => {
    const { orderId } = (await user.place(items, { wait: 10 })).json as { orderId: string };
    return orderId;
  };
  const orders = {
    waiting: await reserved(),
    waitingAborted: await aborted(await reserved()),
    paying: await paying('tok_never_captured', 'PENDING'),
    payingAborted: await aborted(await paying('tok_never_captured', 'PENDING')),
    unheard: await paying('tok_ack_lost', 'PENDING'),
    done: await paying('tok_ok', 'CAPTURED'),
    declined: await paying('tok_declined', 'DECLINED'),
    cancelled: await reserved(),
    invalid: await placed([{ productId: 'prod-unknown', quantity: 1 }]),
    failed: await placed([{ productId: await newProduct(1, { active: false }), quantity: 1 }]),
  };
  await user.cancel(orders.cancelled);
  await eventually(async () => {
    const stored = await Promise.all(RESTING.map((name) => storedOrder(stack, orders[name])));
    expect(stored.map(({ status, dueAtMs }) => [status, dueAtMs])).toEqual([
      ['PAYMENT_DONE', undefined],
      ['PAYMENT_FAILED', undefined],
      ['ORDER_CANCELLED', undefined],
      ['INVALID', undefined],
      ['ORDER_FAILED', undefined],
    ]);
  });
  return orders;
}

describe('after three days', () => {
  test.each([
    {
      days: 'in which nothing ran',
      pass: () => {
        scene.stack.clock.skip(3 * DAY_MS);
        return Promise.resolve();
      },
      // Its hold has long expired, so either the confirmation still finds the stock or the payment is
      // refunded.
      unheard: /^PAYMENT_(DONE|FAILED), 1 SUCCEEDED$/,
    },
    {
      days: 'in which all went on running',
      pass: () => scene.stack.clock.advance(3 * DAY_MS),
      unheard: /^PAYMENT_DONE, 1 SUCCEEDED$/,
    },
  ])(
    '$days, everything comes to rest and nothing is started that is not owed',
    async ({ pass, unheard }) => {
      const leftOver = await leaveOver(1);
      const own = await ordersOfAUser();
      const before = await snapshotOf(scene.stack);

      await pass();
      await asTimeGoesOn(
        scene.stack,
        async () => {
          await rounds();
          await expectRest(scene.stack);
        },
        { stepSeconds: 10, limitSeconds: 1800 },
      );

      const after = await snapshotOf(scene.stack);
      const runs = await runsByOrder();
      const outcome = ([name, orderId]: readonly [string, string]) => {
        const status = after.orders.find((order) => order.orderId === orderId)?.status ?? '';
        return [name, [status, ...(runs.get(orderId) ?? [])].join(', ')] as const;
      };
      expect(Object.fromEntries(Object.entries(own).map(outcome))).toEqual({
        waiting: 'ORDER_FAILED, 1 SUCCEEDED',
        waitingAborted: 'ORDER_FAILED, 1 ABORTED, 2 SUCCEEDED',
        paying: 'PAYMENT_FAILED, 1 SUCCEEDED',
        payingAborted: 'PAYMENT_FAILED, 1 ABORTED, 2 SUCCEEDED',
        unheard: expect.stringMatching(unheard),
        done: 'PAYMENT_DONE, 1 SUCCEEDED',
        declined: 'PAYMENT_FAILED, 1 SUCCEEDED',
        cancelled: 'ORDER_CANCELLED, 1 SUCCEEDED',
        invalid: 'INVALID, 1 SUCCEEDED',
        failed: 'ORDER_FAILED, 1 SUCCEEDED',
      });
      for (const name of RESTING) {
        const ofOrder = ({ orderId }: { readonly orderId: string }) => orderId === own[name];
        expect(after.orders.find(ofOrder), name).toEqual(before.orders.find(ofOrder));
      }
      for (const [orderId, left] of leftOver) {
        expect(runs.get(orderId) ?? [], left.kind).toHaveLength(left.runs.length);
      }
      await expectPromisesAtRest(scene.stack);

      // A user who comes back needs a fresh token, and can retry the failed order.
      const orderId = own.waiting;
      expect((await scene.user.call('GET', `/order/${orderId}`)).status).toBe(401);
      await scene.freshToken();
      const retried = await scene.user.retryOrder(orderId, { wait: 10 });
      expect(retried.summary).toBe('201 PENDING_PAYMENT');
      expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
    },
  );
});
