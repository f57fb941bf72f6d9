import type { Snapshot, StoredOrder } from '../world/snapshot.ts';
import { type Call, isRefused, isTaken, keyOf, requestsIn } from './history.ts';
import { fingerprint, type Recorded } from './recorded.ts';

const FINAL = ['PAYMENT_DONE', 'INVALID', 'ORDER_CANCELLED'];

/** An order that a response named is stored, and belongs to that user. */
export function lostOrders({ calls }: Recorded, { orders }: Snapshot): string[] {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  return calls
    .filter((call) => call.kind === 'place' && isTaken(call))
    .flatMap(({ user, answer }) => {
      const orderId = answer?.body.orderId ?? '';
      return byId.get(orderId)?.userId === user
        ? []
        : [`placed: ${user} was answered ${orderId}, which is not there`];
    });
}

/** Each order has one request that was not refused, and each request has at most one order. */
export function unexplainedOrders({ calls }: Recorded, { orders }: Snapshot): string[] {
  const requests = requestsIn(calls.filter(({ kind }) => kind === 'place'));
  const named = new Set(requests.flatMap(orderIdsOf));
  // Requests whose outcome is unknown: they may have made an order.
  const open = requests.filter(
    (request) => orderIdsOf(request).length === 0 && !request.every(isRefused),
  );
  return orders
    .filter(({ orderId }) => !named.has(orderId))
    .flatMap((order) => {
      const index = open.findIndex(
        ([first]) => first?.user === order.userId && placedAs(first) === placedItems(order),
      );
      if (index !== -1) {
        open.splice(index, 1);
        return [];
      }
      return [`placed: ${order.orderId} of ${order.userId} was made by no request`];
    });
}

/** If no response named an order, no user can have changed its items. */
function placedItems({ items }: StoredOrder): string {
  return fingerprint(items);
}

function placedAs({ body }: Call): string {
  return fingerprint((body as { readonly items: StoredOrder['items'] }).items);
}

function orderIdsOf(request: readonly Call[]): string[] {
  return [...new Set(request.filter(isTaken).map(({ answer }) => answer?.body.orderId ?? ''))];
}

/** Repeated requests with one idempotency key make one order or payment, and get one response. */
export function differingAnswers({ calls }: Recorded, { orders }: Snapshot): string[] {
  const hasFailed = new Set(
    orders
      .filter(({ history }) => history.some(({ to }) => to === 'ORDER_FAILED'))
      .map(({ orderId }) => orderId),
  );
  return requestsIn(calls.filter((call) => keyOf(call) !== undefined)).flatMap((request) => {
    const [first] = request;
    if (first === undefined) return [];
    const { user, kind } = first;
    const what = `repeated: ${user}'s ${kind} with the key ${keyOf(first) ?? ''}`;
    const answered = request
      .filter(({ outcome }) => outcome === 'ok')
      .map(({ answer }) => answer?.body);
    const taken = request.filter(isTaken).map(({ answer }) => answer?.body);
    const ids = new Set(
      taken.map((body) => (kind.includes('pay') ? body?.paymentId : body?.orderId)),
    );
    if (ids.size > 1) return [`${what} was answered ${[...ids].join(' and ')}`];
    // A response is not replayed if its order has failed since: the request retries the order.
    const mayDiffer = answered.some((body) => hasFailed.has(body?.orderId ?? ''));
    const bodies = new Set(answered.map((body) => JSON.stringify(body)));
    return bodies.size > 1 && !mayDiffer ? [`${what} has ${String(bodies.size)} answers`] : [];
  });
}

/** A key that comes with another body is refused. */
export function mixedUpKeys({ calls }: Recorded): string[] {
  const taken = new Map<string, string>();
  return calls.filter(isTaken).flatMap((call) => {
    const key = keyOf(call);
    if (key === undefined) return [];
    const id = `${call.user}'s ${call.kind} with the key ${key}`;
    const content = `${call.path} ${JSON.stringify(call.body)}`;
    const first = taken.get(id) ?? content;
    taken.set(id, first);
    return first === content ? [] : [`repeated: ${id} was taken for two requests`];
  });
}

/** Within the duplicate window, only a user who allows it orders the same items twice. */
export function duplicates({ calls, duplicateWindowMs }: Recorded, { orders }: Snapshot): string[] {
  const placed = requestsIn(calls.filter(({ kind }) => kind === 'place')).flatMap((request) => {
    const [first] = request;
    const [orderId] = orderIdsOf(request);
    const order = orders.find((one) => one.orderId === orderId);
    // An order that is INVALID at once gets no guard.
    if (first === undefined || order === undefined || order.history[0]?.to === 'INVALID') return [];
    const wasSaidByMs = Math.min(...request.filter(isTaken).map(({ endedAtMs }) => endedAtMs));
    return [{ user: first.user, items: placedAs(first), order, wasSaidByMs }];
  });
  const asked = (user: string, items: string) =>
    calls.some(
      (call) =>
        call.user === user &&
        (call.kind === 'modify' || call.headers['x-allow-duplicate'] === 'true') &&
        placedAs(call) === items,
    );
  return placed.flatMap((later) => {
    // If the user allowed the duplicate, or changed another order to these items, the guard may name either
    // order.
    if (asked(later.user, later.items)) return [];
    return placed
      .filter(
        ({ user, items, order, wasSaidByMs }) =>
          order !== later.order &&
          user === later.user &&
          items === later.items &&
          order.createdAtMs <= later.order.createdAtMs &&
          later.wasSaidByMs - order.createdAtMs < duplicateWindowMs &&
          order.modifications + later.order.modifications === 0 &&
          // Neither order was final when the other one was written, whichever came first.
          !wasFinalBy(order, later.wasSaidByMs) &&
          !wasFinalBy(later.order, wasSaidByMs),
      )
      .map(
        ({ order }) =>
          `duplicate: ${later.user} has ${order.orderId} and then ${later.order.orderId} of the same items`,
      );
  });
}

function wasFinalBy({ history }: StoredOrder, byMs: number): boolean {
  return history.some(({ to, at }) => FINAL.includes(to) && Date.parse(at) <= byMs);
}
