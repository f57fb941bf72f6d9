import type { Snapshot, StoredOrder } from '../world/snapshot.ts';
import { type Call, isBefore, isRefused, isTaken, requestsIn } from './history.ts';
import { fingerprint, type Recorded } from './recorded.ts';

/** A cancelled order stays cancelled. */
export function uncancelled({ calls }: Recorded, { orders, charges }: Snapshot): string[] {
  return calls
    .filter((call) => call.kind === 'cancel' && call.outcome === 'ok')
    .flatMap(({ path, answer }) => {
      const orderId = path.split('/').at(-1) ?? '';
      const order = orders.find((one) => one.orderId === orderId);
      const kept = (charges.get(orderId) ?? []).filter(({ status }) => status === 'CAPTURED');
      const isCancelled =
        answer?.body.status === 'ORDER_CANCELLED' && order?.status === 'ORDER_CANCELLED';
      return isCancelled && kept.length === 0
        ? []
        : [
            `cancelled: ${orderId} is ${String(order?.status)}, with ${String(kept.length)} charges`,
          ];
    });
}

/** An order's last modification was not refused, and no accepted one followed it; the count fits too. */
export function brokenModifications({ calls }: Recorded, { orders }: Snapshot): string[] {
  return orders.flatMap((order) => {
    const requests = requestsIn(
      calls.filter((call) => call.kind === 'modify' && call.path.endsWith(order.orderId)),
    );
    const taken = requests.filter((request) => request.some(isTaken));
    const possible = requests.filter((request) => !request.every(isRefused));
    const { modifications, modification } = order;
    return [
      ...(modifications < taken.length || modifications > possible.length
        ? [
            `modified: ${order.orderId} counts ${String(modifications)} changes; ` +
              `${String(taken.length)} were taken, ${String(possible.length)} may have been`,
          ]
        : []),
      ...(modification === undefined ? [] : brokenWish(order, modification, possible, taken)),
    ];
  });
}

function brokenWish(
  { orderId, items }: StoredOrder,
  { status, items: wished }: NonNullable<StoredOrder['modification']>,
  possible: readonly (readonly Call[])[],
  taken: readonly (readonly Call[])[],
): string[] {
  const meant = possible.filter((request) => wishOf(request) === fingerprint(wished));
  // A request is not the last if it ended before the service accepted another one.
  const isLast = (request: readonly Call[]) =>
    !taken.some((later) =>
      later.every((call) => request.every((former) => isBefore(former, call))),
    );
  if (!meant.some(isLast))
    return [`modified: ${orderId} was changed last to what nobody asked for last`];
  if (status === 'PENDING') return [`modified: a change of ${orderId} is never decided`];
  return status === 'APPLIED' && fingerprint(items) !== fingerprint(wished)
    ? [`modified: ${orderId} has other items than were applied`]
    : [];
}

function wishOf([first]: readonly Call[]): string {
  return fingerprint((first?.body as { readonly items: StoredOrder['items'] }).items);
}

/** If two changes name the same version, only one of them is made. */
export function versionsTakenTwice({ calls }: Recorded): string[] {
  const takers = new Map<string, Set<string>>();
  for (const call of calls) {
    const ifMatch = call.headers['if-match'];
    if (call.kind !== 'modify' || ifMatch === undefined || !isTaken(call)) continue;
    const at = `${call.path} at ${ifMatch}`;
    takers.set(at, (takers.get(at) ?? new Set()).add(call.headers['idempotency-key'] ?? ''));
  }
  return [...takers]
    .filter(([, keys]) => keys.size > 1)
    .map(([at, keys]) => `modified: ${[...keys].join(' and ')} both changed ${at}`);
}

/** Kinds of calls that can cause a user's step in an order's history, by the step's reason. */
const ASKED_BY: Readonly<Record<string, readonly Call['kind'][]>> = {
  ORDER_PLACED: ['place'],
  BAD_QUANTITY: ['place'],
  USER_CANCELLED: ['cancel'],
  USER_MODIFIED: ['modify'],
  PAYMENT_STARTED: ['pay'],
  PAYMENT_RETRIED: ['retry payment'],
  // A repeated request to place an order retries the order if it has failed.
  ORDER_RETRIED: ['retry order', 'place'],
};

/** Every step that a user made has a request by that user that was not refused. */
export function unaskedSteps({ calls }: Recorded, { orders }: Snapshot): string[] {
  return orders.flatMap((order) => {
    const ofUser = calls.filter(({ user }) => user === order.userId);
    const steps = order.history.filter(({ by }) => by === 'user');
    const reasons = [...new Set(steps.map(({ reason }) => reason))];
    return reasons.flatMap((reason) => {
      const times = steps.filter((step) => step.reason === reason).length;
      const kinds = ASKED_BY[reason] ?? [];
      const asking = ofUser.filter(
        (call) =>
          kinds.includes(call.kind) && (call.kind === 'place' || isAbout(call, order.orderId)),
      );
      // Each repetition of a request may retry a failed order; any other step happens once per request.
      const possible =
        reason === 'ORDER_RETRIED'
          ? asking.filter((call) => !isRefused(call)).length
          : requestsIn(asking).filter((request) => !request.every(isRefused)).length;
      return times > possible
        ? [
            `unasked: ${order.orderId} has ${String(times)} ${reason}, asked for ${String(possible)} times`,
          ]
        : [];
    });
  });
}

function isAbout({ path, body }: Call, orderId: string): boolean {
  return path.endsWith(orderId) || (body as { orderId?: string } | undefined)?.orderId === orderId;
}
