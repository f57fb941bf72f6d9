import type { ReservationDocument } from '../../inventory/inventory-client.ts';
import {
  InventoryMisunderstood,
  InventoryThrottled,
  InventoryUnavailable,
  MixedCurrencies,
  PASSING_FAILURES,
  RESERVATION_REFUSALS,
  ReservationGone,
  StaleRevision,
  UnknownProduct,
} from '../../inventory/refusals.ts';
import {
  assertNever,
  InfrastructureUnavailable,
  type Refusal,
  type RefusalClass,
} from '../../platform/errors.ts';
import { loggerFor } from '../../platform/lambda/logging.ts';
import { changeOrder, moveOrder, touchOrder } from '../moves.ts';
import type {
  ModifiedReservation,
  Order,
  PendingReservingStockOrder,
  ReleaseOwed,
  RetriedReservation,
} from '../order.ts';
import { closeModification, intendedItems, sameItems } from '../order-items.ts';
import { moveNow, type OrderService, retryOnConflict } from '../order-service.ts';
import { saveSettling, withUnchargedFailed } from '../payment-outcomes.ts';
import { ReservationExpired } from '../refusals.ts';
import type { SagaRun } from '../saga-client.ts';
import { sendDeadLetter } from './report-exhausted.ts';
import { holdOf, toReservedStock } from './reserve-stock.ts';
import {
  InventoryOutageBudgetSpent,
  ModificationGivenUp,
  OrderSettled,
  ReservationStands,
} from './signals.ts';
import { orderOfRun } from './task.ts';

/**
 * Finds the refusal that the order then shows, by the error's name. To the user, an ended reservation
 * has expired. Undefined: no refusal ended the reservation, but the retries were used up.
 */
function refusalOf(failure: string): Refusal | undefined {
  const refused = RESERVATION_REFUSALS.find(({ refusal }) => refusal.name === failure);
  const isEnded = refused === ReservationGone || refused === StaleRevision;
  return isEnded ? ReservationExpired.refusal : refused?.refusal;
}

/**
 * Ends a failed reservation, by its purpose (specification, section 2).
 * @param failure the error's name as the state machine caught it.
 * @throws ReservationStands: a modification was refused, or was reserved after all; the order waits for
 * its payment again.
 * @throws OrderSettled: only the release that the order owes is left.
 */
export function rejectReservation(
  service: OrderService<'inventory' | 'queues'>,
  input: SagaRun & { readonly failure: string },
): Promise<void> {
  let revision: number | undefined;
  return retryOnConflict(service, async () => {
    const order = await orderOfRun(service, input);
    revision ??= order.revision;
    // A stale attempt may find the user's next change, of which it knows nothing.
    if (order.revision !== revision) throw new OrderSettled('A newer change is being reserved.');
    return reject(service, input, order);
  });
}

async function reject(
  service: OrderService<'inventory' | 'queues'>,
  input: SagaRun & { readonly failure: string },
  order: Order,
): Promise<void> {
  const refusal = refusalOf(input.failure);
  switch (order.status) {
    case 'PENDING_RESERVING_STOCK':
      switch (order.purpose) {
        case 'FIRST':
          return rejectFirst(service, order, refusal, input.failure);
        case 'MODIFICATION':
          return rejectModification(service, order, refusal, input.failure);
        case 'PAYMENT_RETRY':
          return rejectPaymentRetry(service, order, refusal, input.failure);
        default:
          return assertNever(order);
      }
    case 'CREATED':
    case 'PENDING_PAYMENT':
    case 'PAYMENT_IN_PROGRESS':
      // The run's first write failed, or its wait could not begin; the order is still due.
      if (refusal === undefined) return sendDeadLetter(service, { ...input, step: STEP });
      throw new OrderSettled(`The order is ${order.status}; there is nothing to reject.`);
    case 'INVALID':
    case 'ORDER_FAILED':
    case 'PAYMENT_FAILED':
      // The step is repeated and its dead letter may be missing, so it is sent again.
      if (refusal === undefined) await sendDeadLetter(service, { ...input, step: STEP });
      throw new OrderSettled('The order has failed; what it owes is to be given back.');
    case 'PAYMENT_DONE':
    case 'ORDER_CANCELLED':
      throw new OrderSettled(`The order is ${order.status}; there is nothing to reject.`);
    default:
      return assertNever(order);
  }
}

const STEP = 'reserve-stock';

/** Errors by which Inventory itself ends a reservation that it did not refuse. */
const INVENTORY_FAILURES: readonly RefusalClass[] = [
  ...PASSING_FAILURES,
  InventoryMisunderstood,
  InventoryOutageBudgetSpent,
  ModificationGivenUp,
];

/** Code that the order shows after its retries were used up. */
function exhaustionCode(failure: string): ExhaustionCode {
  const isInventory = INVENTORY_FAILURES.some(({ refusal }) => refusal.name === failure);
  return (isInventory ? InventoryUnavailable : InfrastructureUnavailable).refusal.code;
}

const EXHAUSTION_CODES = [
  InventoryUnavailable.refusal.code,
  InfrastructureUnavailable.refusal.code,
] as const;

type ExhaustionCode = (typeof EXHAUSTION_CODES)[number];

/** True if the order failed only because retries were exhausted: a new run may succeed. */
export function isExhaustion(reason: string): boolean {
  return EXHAUSTION_CODES.some((code) => code === reason);
}

/**
 * Ends a reservation that no run is left for: `ORDER_FAILED`, or `PAYMENT_FAILED` for a retried payment,
 * with the release owed.
 */
export function abandonReservation(service: OrderService<'queues'>, input: SagaRun): Promise<void> {
  return retryOnConflict(service, async () => {
    const order = await orderOfRun(service, input);
    if (order.status !== 'PENDING_RESERVING_STOCK') return;
    if (order.purpose === 'PAYMENT_RETRY') {
      return rejectPaymentRetry(service, order, undefined, 'RunsExhausted');
    }
    return failOrder(service, order, exhaustionCode('RunsExhausted'));
  });
}

async function rejectFirst(
  service: OrderService<'queues'>,
  order: PendingReservingStockOrder,
  refusal: Refusal | undefined,
  failure: string,
): Promise<void> {
  if (refusal === undefined) {
    await failOrder(service, order, exhaustionCode(failure));
    return sendDeadLetter(service, { ...order, step: STEP, failure });
  }
  const { code } = refusal;
  if (code === UnknownProduct.refusal.code) {
    loggerFor({ orderId: order.orderId, correlationId: order.correlationId }).warn(
      'An unknown product was ordered',
    );
  }
  if (refusal.isFinal !== true) return failOrder(service, order, code);
  const next = moveOrder(
    order,
    'INVALID',
    { reason: code, ...releaseOwedOf(service, order) },
    moveNow(service, code),
  );
  return service.orders.save(next, order);
}

/**
 * Rejects a modification: the old reservation and total stand, unless that reservation is gone. If the
 * answer was lost for good, Inventory is asked for its reservation, and the new items are adopted if it
 * holds them.
 */
async function rejectModification(
  service: OrderService<'inventory' | 'queues'>,
  order: ModifiedReservation,
  refusal: Refusal | undefined,
  failure: string,
): Promise<void> {
  const code = refusal?.code ?? exhaustionCode(failure);
  // A reservation without a total in one currency is never adopted.
  const isPayable = code !== MixedCurrencies.refusal.code;
  if ((order.adopted !== undefined && isPayable) || order.modification.status === 'REJECTED') {
    throw new ReservationStands('The modification is decided.');
  }
  const askedAtMs = service.clock.now();
  let held: ReservationDocument | undefined;
  try {
    held = await heldForGood(service, order);
  } catch (error) {
    // A refusal can be repeated later; after exhaustion this was the last question, unless Inventory works.
    if (refusal !== undefined || error instanceof InventoryThrottled) throw error;
    await failOrder(service, order, code);
    return sendDeadLetter(service, { ...order, step: STEP, failure });
  }
  if (held?.status !== 'HELD') return failOrder(service, order, 'RESERVATION_EXPIRED');
  const isWish = sameItems(held.items, intendedItems(order));
  if (isWish && !isPayable) return failOrder(service, order, code);
  const next = isWish
    ? touchOrder(order, { adopted: toReservedStock(service, held, askedAtMs) })
    : changeOrder(order, { ...closeModification(order, code), ...standing(order, held) });
  await service.orders.save(next, order);
  throw new ReservationStands(`The modification ended with ${code}.`);
}

/**
 * Finds the reservation that Inventory will go on holding. A call for the new items may still be on its way,
 * after its caller gave up. So the old items are reserved at the new revision: that call then finds its revision
 * taken, and if it arrived first, its own reservation is the response.
 *
 *     reserve r+1, new items ──────────────────────────────── arrives: r+1 is held, nothing changes
 *          (no answer)          reserve r+1, old items: held
 *
 * @returns undefined if the old reservation is gone and its stock cannot be reserved again.
 */
async function heldForGood(
  service: OrderService<'inventory'>,
  order: PendingReservingStockOrder,
): Promise<ReservationDocument | undefined> {
  const held = await service.inventory.findReservation(order);
  if (held?.status !== 'HELD' || held.revision >= order.revision) return held;
  try {
    return await service.inventory.reserve(order, order.items, holdOf(service, order));
  } catch (error) {
    // It expired meanwhile, and its stock is gone.
    if (error instanceof Error && refusalOf(error.name) !== undefined) return undefined;
    throw error;
  }
}

/** The old reservation at its present revision, until the time promised to the user. */
function standing({ former }: ModifiedReservation, { revision }: ReservationDocument) {
  return { former: { ...former, revision } };
}

async function rejectPaymentRetry(
  service: OrderService<'queues'>,
  order: RetriedReservation,
  refusal: Refusal | undefined,
  failure: string,
): Promise<void> {
  const code = refusal?.code ?? exhaustionCode(failure);
  const next = moveOrder(
    order,
    'PAYMENT_FAILED',
    {
      reason: code,
      total: order.total,
      ...withUnchargedFailed(service, order, code),
      ...releaseOwedOf(service, order),
    },
    moveNow(service, code),
  );
  await saveSettling(service, next, order);
  if (refusal === undefined) {
    await sendDeadLetter(service, { ...order, step: STEP, failure });
  }
}

async function failOrder(
  service: OrderService,
  order: PendingReservingStockOrder,
  reason: string,
): Promise<void> {
  const next = moveOrder(
    order,
    'ORDER_FAILED',
    { reason, ...closeModification(order, reason), ...releaseOwedOf(service, order) },
    moveNow(service, reason),
  );
  await service.orders.save(next, order);
}

/**
 * Even a refused reservation is released: an earlier call of the same step may still arrive, and only a
 * tombstone stops it.
 */
function releaseOwedOf(service: OrderService, order: PendingReservingStockOrder): ReleaseOwed {
  return {
    releaseOwed: { revision: order.revision },
    dueAtMs: service.clock.now() + service.deadlines.dispatchMs,
  };
}
