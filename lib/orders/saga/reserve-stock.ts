import type { ReservationDocument } from '../../inventory/inventory-client.ts';
import { InventoryMisunderstood, PASSING_FAILURES } from '../../inventory/refusals.ts';
import { assertNever, type DomainError } from '../../platform/errors.ts';
import { observe } from '../../platform/lambda/observe.ts';
import { afterReserving } from '../after-reserving.ts';
import { changeOrder, touchOrder } from '../moves.ts';
import type { Order, OrderIn, PendingReservingStockOrder, ReservedStock } from '../order.ts';
import { intendedItems, sameItems } from '../order-items.ts';
import { moveNow, type OrderService, retryOnConflict } from '../order-service.ts';
import { refusedProductOf } from '../refused-product.ts';
import type { SagaRun } from '../saga-client.ts';
import type { Wait } from '../stored-wait.ts';
import { isExpired } from './branches.ts';
import {
  InventoryOutageBudgetSpent,
  InventoryPaused,
  ModificationGivenUp,
  OrderSettled,
} from './signals.ts';
import { orderOfRun, requireRun, storeWait } from './task.ts';

/**
 * Saga step 1: `CREATED` → `PENDING_RESERVING_STOCK`, reserves at the order's revision, stores its wait's token, then
 * moves the order to `PENDING_PAYMENT`. The state then waits for its user, whose decision signals the token. A step
 * whose wait is decided already completes itself.
 * @throws the refusals of InventoryClient.reserve, by name; InventoryPaused to wait and come back, for as long as the
 * outage budget lasts, then InventoryOutageBudgetSpent;
 * OrderModified to reserve another revision; OrderSettled if the user cancelled meanwhile; WaitSuperseded.
 */
export async function reserveStock(
  service: OrderService<'inventory' | 'saga'>,
  input: SagaRun & Wait,
): Promise<void> {
  const order = requireRun(await startReserving(service, input), input);
  const reserving = order.status === 'PENDING_RESERVING_STOCK' ? order : undefined;
  const reserved =
    reserving !== undefined && !isDecidedModification(reserving)
      ? await reserve(service, reserving)
      : undefined;
  await storeWait(service, input);
  return awaitUser(service, input, reserving, reserved);
}

/**
 * The run's first write; it answers the order.
 * @returns the order as it then is, in whatever status and run; undefined if none is stored.
 */
export function startReserving(
  service: OrderService,
  { orderId, run }: Pick<SagaRun, 'orderId' | 'run'>,
): Promise<Order | undefined> {
  const dueAtMs = service.clock.now() + service.deadlines.reservingMs;
  return service.orders.startReserving(orderId, run, dueAtMs, moveNow(service, 'SAGA_STARTED'));
}

/**
 * Moves the order on to its user, or looks whether the user has decided.
 * @param reserving the order as it was read before the token was stored; undefined to read it now.
 */
function awaitUser(
  service: OrderService<'saga'>,
  input: SagaRun & Wait,
  reserving: PendingReservingStockOrder | undefined,
  reserved: ReservedStock | undefined,
): Promise<void> {
  const { token } = input;
  const look = async (known: Order | undefined) => {
    const order = known ?? (await orderOfRun(service, input));
    switch (order.status) {
      case 'PENDING_RESERVING_STOCK': {
        const next = afterReserving(service, order, reserved);
        await service.orders.save(next, order);
        // A retried payment is charged at once; a modification may leave no time to pay.
        if (next.status === 'PAYMENT_IN_PROGRESS' || isExpired(service, next)) {
          await service.saga.signal(token);
        }
        return;
      }
      case 'PENDING_PAYMENT':
        if (isExpired(service, order)) await service.saga.signal(token);
        return;
      case 'CREATED':
      case 'PAYMENT_IN_PROGRESS':
      case 'PAYMENT_DONE':
        await service.saga.signal(token);
        return;
      case 'PAYMENT_FAILED':
      case 'ORDER_FAILED':
      case 'INVALID':
      case 'ORDER_CANCELLED':
        throw new OrderSettled(`The order is ${order.status}; nothing is to be reserved.`);
      default:
        return assertNever(order);
    }
  };
  return retryOnConflict(service, look, reserving);
}

async function reserve(
  service: OrderService<'inventory'>,
  order: PendingReservingStockOrder,
): Promise<ReservedStock> {
  if (order.outage !== undefined && service.clock.now() < order.outage.notBeforeMs) {
    throw new InventoryPaused('Inventory asked for a pause that is not over.');
  }
  const askedAtMs = service.clock.now();
  try {
    const hold = holdOf(service, order);
    const reservation = await service.inventory.reserve(order, intendedItems(order), hold);
    if (reservation.revision !== order.revision) {
      throw new InventoryMisunderstood('Inventory answered for another revision.');
    }
    // An earlier run gave the modification up, and died before it could write so:
    //
    //     reserve r+1, old items: held ── (dies) ── next run: reserve r+1, new items: answered old items
    if (!sameItems(reservation.items, intendedItems(order))) {
      throw new ModificationGivenUp('Inventory holds other items at this revision.');
    }
    return toReservedStock(service, reservation, askedAtMs);
  } catch (error) {
    if (isPassing(error)) throw await recordPause(service, order, error);
    const refused = refusedProductOf(error);
    if (refused !== undefined) {
      // Shown with the failure that follows.
      await noteOnReserving(service, order, (current) => touchOrder(current, { refused }));
    }
    throw error;
  }
}

/** The hold to ask for; a modification never extends the time of its order. */
export function holdOf({ deadlines }: OrderService, { purpose }: PendingReservingStockOrder) {
  return { holdSeconds: deadlines.holdSeconds, keepsTime: purpose === 'MODIFICATION' };
}

/**
 * The reservation as the order keeps it. It can be paid for the time that the hold outlasts by the allowance, counted
 * from before the call: Inventory tells a duration, so that two clocks do not matter.
 */
export function toReservedStock(
  { config, deadlines }: OrderService,
  { revision, remainingMs, items }: ReservationDocument,
  askedAtMs: number,
): ReservedStock {
  const lines: ReservedStock['lines'][number][] = [];
  for (const { productId, unitPrice } of items) lines.push({ productId, unitPrice });
  const payableMs = Math.min(
    config.RESERVATION_TTL_SECONDS * 1000,
    (remainingMs ?? 0) - deadlines.allowanceMs,
  );
  return { revision, expiresAtMs: askedAtMs + payableMs, lines };
}

function isPassing(error: unknown): error is DomainError {
  return PASSING_FAILURES.some((Failure) => error instanceof Failure);
}

/**
 * Stores since when Inventory fails, and when it may be called again, if that is inside the budget.
 * @returns the signal to wait and come back; the failure of the step if the budget is spent.
 */
async function recordPause(
  service: OrderService,
  order: PendingReservingStockOrder,
  cause: DomainError,
): Promise<Error> {
  const nowMs = service.clock.now();
  const sinceMs = order.outage?.sinceMs ?? nowMs;
  const notBeforeMs = nowMs + (cause.retryAfterSeconds ?? 0) * 1000;
  if (notBeforeMs - sinceMs > service.config.INVENTORY_OUTAGE_BUDGET_SECONDS * 1000) {
    return new InventoryOutageBudgetSpent('Inventory failed for too long.', { cause });
  }
  const paused = new InventoryPaused(
    `Inventory failed, or asked for a pause: ${cause.name}.`,
    // One outage is one failure of the step, however often it is tried again.
    order.outage === undefined ? { cause } : undefined,
  );
  // A failure that asks for no pause adds nothing to the one that began the outage.
  if (order.outage !== undefined && notBeforeMs === nowMs) return paused;
  await noteOnReserving(service, order, (current) => {
    // That it waits is news to a caller; that it waits on is none.
    const note = current.outage === undefined ? changeOrder : touchOrder;
    return note(current, {
      outage: { sinceMs: current.outage?.sinceMs ?? sinceMs, notBeforeMs },
    });
  });
  return paused;
}

/** Notes what Inventory said, unless another run or change has the order by now. */
function noteOnReserving(
  service: OrderService,
  { orderId, run, revision }: PendingReservingStockOrder,
  noted: (current: PendingReservingStockOrder) => Order,
): Promise<void> {
  return retryOnConflict(service, async () => {
    const current = await service.orders.getOrder(orderId);
    if (current?.status !== 'PENDING_RESERVING_STOCK') return;
    if (current.run !== run || current.revision !== revision) return;
    await service.orders.save(noted(current), current);
  });
}

function isDecidedModification(order: PendingReservingStockOrder): boolean {
  return (
    order.purpose === 'MODIFICATION' &&
    (order.adopted !== undefined || order.modification.status === 'REJECTED')
  );
}

type RestingOrder = OrderIn<'PAYMENT_FAILED' | 'ORDER_FAILED' | 'ORDER_CANCELLED' | 'INVALID'>;

/** Undoes reserveStock: releases the stock that an order at rest still owes, and notes that it owes nothing more. */
export async function releaseStock(
  service: OrderService<'inventory'>,
  order: RestingOrder,
): Promise<void> {
  const { releaseOwed } = order;
  if (releaseOwed === undefined) return;
  await service.inventory.release({ ...order, revision: releaseOwed.revision });
  observeReleased(order);
  await retryOnConflict(service, async () => {
    const current = await service.orders.getOrder(order.orderId);
    // A retry since then has a newer revision, which its own saga looks after: nothing is owed any more.
    const owed =
      current !== undefined && 'releaseOwed' in current ? current.releaseOwed : undefined;
    if (current === undefined || owed?.revision !== releaseOwed.revision) return;
    const { releaseOwed: _released, dueAtMs: _notDue, ...settled } = current as RestingOrder;
    await service.orders.save(touchOrder(settled as RestingOrder, {}), current);
  });
}

export function observeReleased({ orderId, correlationId }: Order): void {
  observe('CompensationDone', { orderId, correlationId }, { kind: 'RELEASE' });
}
