import { expect, test } from 'vitest';
import { dispatchDueWork } from '../../lib/orders/recovery/dispatch-due-work.ts';
import type { CompensationRequest } from '../../lib/orders/recovery/saga-queues.ts';
import type { SagaClient } from '../../lib/orders/saga-client.ts';
import { orderService } from '../../lib/orders/whole-order-service.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import { copiesOf } from '../support/copies.ts';
import { inject } from '../support/faults.ts';
import { type Snapshot, snapshotOf } from '../support/invariants.ts';
import { endHold } from '../support/late.ts';
import { LEFT_OVER } from '../support/left-over.ts';
import { sweep } from '../support/rounds.ts';
import { Scene } from '../support/scene.ts';
import { newProduct, stockLine } from '../support/shop.ts';

const scene = new Scene({
  RESERVATION_TTL_SECONDS: '600',
  DISPATCH_AFTER_SECONDS: '600',
  // The schedule never runs; the test runs every round.
  SCHEDULE_SECONDS: '3600',
});

/** Longer than every state lasts here, shorter than the schedule. */
const ALL_DUE_MS = 1_500_000;

/** Number of orders of each kind, and the work that the system owes each of them. */
const KINDS = [
  { kind: 'created', orders: 400, owed: ['run 1'] },
  { kind: 'reserving', orders: 250, owed: ['run 1'] },
  { kind: 'waiting', orders: 150, owed: ['run 1'] },
  { kind: 'paying', orders: 100, owed: ['run 1'] },
  { kind: 'awaitingAcknowledgement', orders: 50, owed: ['run 1'] },
  { kind: 'captured', orders: 50, owed: ['run 1'] },
  // Orders whose first run has ended.
  { kind: 'created', orders: 300, owed: ['run 2'] },
  { kind: 'captured', orders: 50, owed: ['run 2'] },
  { kind: 'cancelled', orders: 100, owed: ['stock'] },
  { kind: 'failed', orders: 50, owed: ['stock'] },
  { kind: 'invalid', orders: 300, owed: ['stock'] },
  { kind: 'owingVoid', orders: 50, owed: ['stock', 'money'] },
  { kind: 'owingRefund', orders: 50, owed: ['stock', 'money'] },
  { kind: 'paid', orders: 50, owed: [] },
] as const;

/** Kinds whose stock the sweeper finds; the others' is held on. */
const SWEPT: ReadonlySet<string> = new Set([
  'waiting',
  'paying',
  'awaitingAcknowledgement',
  'cancelled',
  'failed',
  'owingVoid',
]);

/**
 * Replaces the state machine and the queue, so that thousands of orders can fall due at once and the test can
 * count every start. Tables, indexes and both services' rounds are real.
 */
class Recorder {
  /** Orders whose first run has ended. */
  readonly ended = new Set<string>();
  /** Requested work, named as in KINDS. */
  readonly done = new Set<string>();

  readonly saga: SagaClient = {
    start: ({ orderId, run }) => {
      if (run === 1 && this.ended.has(orderId)) return Promise.resolve('CLOSED');
      this.done.add(`${orderId} run ${String(run)}`);
      return Promise.resolve({ startedAtMs: scene.stack.clock.now() });
    },
    signal: () => Promise.resolve('NOT_WAITING'),
  };

  readonly queues = {
    requestCompensation: ({ orderId, paymentId }: CompensationRequest) => {
      this.done.add(`${orderId} ${paymentId === undefined ? 'stock' : 'money'}`);
      return Promise.resolve();
    },
    deadLetter: () => Promise.reject(new Error('Nothing here is stuck.')),
  };

  async dispatch(): Promise<number> {
    const service = { ...orderService(currentRuntime()), saga: this.saga, queues: this.queues };
    return (await dispatchDueWork(service, () => true)).handled;
  }
}

function due({ orders, payments }: Snapshot): string[] {
  const nowMs = scene.stack.clock.now();
  return [
    ...orders.filter(({ dueAtMs = Infinity }) => dueAtMs <= nowMs).map(({ orderId }) => orderId),
    ...payments
      .filter(
        ({ refundOwed, voidOwed }) => ((refundOwed ?? voidOwed)?.dueAtMs ?? Infinity) <= nowMs,
      )
      .map(({ paymentId }) => paymentId),
  ];
}

function statuses({ orders, payments }: Snapshot): string[] {
  return [...orders, ...payments].map(({ orderId, status }) => `${orderId} ${status}`).sort();
}

/** Runs two dispatchers and two sweepers concurrently until none of them finds work. */
async function roundsUntilNothingIsLeft(recorder: Recorder) {
  const total = { dispatched: 0, swept: 0 };
  for (;;) {
    const [one, other, sweeper, otherSweeper] = await Promise.all([
      recorder.dispatch(),
      recorder.dispatch(),
      sweep(),
      sweep(),
    ]);
    if (one + other + sweeper + otherSweeper === 0) return total;
    total.dispatched += one + other;
    total.swept += sweeper + otherSweeper;
  }
}

/** Thousands of orders take a while on a busy machine. */
const LONG_MS = 180_000;

test('of thousands due at once two dispatchers and two sweepers leave nothing, and do nothing else', {
  timeout: LONG_MS,
}, async () => {
  const recorder = new Recorder();
  const productId = await newProduct(10_000);
  const owed: string[] = [];
  for (const each of KINDS) {
    const template = await LEFT_OVER[each.kind](productId);
    if (SWEPT.has(each.kind)) await endHold(template.orderId);
    const ids = [template.orderId, ...(await copiesOf(template, each.orders - 1))];
    owed.push(...ids.flatMap((id) => each.owed.map((what) => `${id} ${what}`)));
    if (each.owed[0] === 'run 2') for (const id of ids) recorder.ended.add(id);
  }
  scene.stack.clock.skip(ALL_DUE_MS);
  await copiesOf(await LEFT_OVER.created(productId), 99);
  const before = await snapshotOf(scene.stack);
  expect(due(before)).toHaveLength(2000);
  expect(await stockLine(scene.stack, productId)).toBe('9300/650/50');
  const queries = inject(scene.stack, {
    on: ({ operation, target }) => operation === 'Query' && target.endsWith('-orders'),
    act: (proceed) => proceed(),
  });

  const total = await roundsUntilNothingIsLeft(recorder);

  // Exactly one of the two handled each order; a hundred of them owe two things.
  expect(total).toEqual({ dispatched: 1900, swept: 500 });
  // Two pages in each of 16 shards, for both dispatchers.
  expect(queries.strikes).toBeGreaterThanOrEqual(64);
  expect([...recorder.done].sort()).toEqual(owed.sort());
  const after = await snapshotOf(scene.stack);
  expect(due(after)).toEqual([]);
  expect(statuses(after)).toEqual(statuses(before));
  expect(after.orders.filter(({ run }) => run === 2)).toHaveLength(350);
  expect(await stockLine(scene.stack, productId)).toBe('9800/150/50');
});
