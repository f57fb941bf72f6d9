import { isDirect } from './direct-orders.ts';
import { ORDER_MOVES, PAYMENT_MOVES } from './legal-moves.ts';
import type { Snapshot } from './world/snapshot.ts';

type Stored = Pick<Snapshot, 'orders' | 'payments' | 'products' | 'reservations'>;
type Change = Snapshot['payments'][number]['history'][number];

interface ChargeAtGateway {
  readonly paymentId: string;
  readonly status: string;
  readonly amount: { readonly amount: number; readonly currency: string };
}

/** Violations by promise; empty if it holds. */
export type BrokenPromises = Readonly<Record<'P1' | 'P2' | 'P3' | 'P5' | 'P6', readonly string[]>>;

/**
 * Checks the stored state at rest against the promises of the specification. P4 (nothing lost) and P7 (nobody
 * else's) need more than one snapshot, so other checks cover them.
 */
export function brokenPromises(
  stored: Stored,
  charges: ReadonlyMap<string, readonly ChargeAtGateway[]>,
): BrokenPromises {
  return {
    P1: brokenStock(stored),
    P2: brokenCharges(stored, charges),
    P3: brokenSales(stored),
    P5: held(stored),
    P6: brokenHistories(stored),
  };
}

/** P1: stock adds up, and the counters are the sums of the reservations. */
function brokenStock({ products, reservations }: Stored): string[] {
  const pieces = (productId: string, status: string): number =>
    reservations
      .filter((reservation) => reservation.status === status)
      .flatMap(({ lines = [] }) => lines)
      .filter((line) => line.productId === productId)
      .reduce((sum, { quantity }) => sum + quantity, 0);
  return products
    .filter(({ productId, available, reserved, sold, received }) => {
      const isBalanced = available >= 0 && available + reserved + sold === received;
      const isReserved = reserved === pieces(productId, 'HELD');
      return !isBalanced || !isReserved || sold !== pieces(productId, 'CONFIRMED');
    })
    .map((product) => JSON.stringify(product));
}

/** P2, and payments agree with the gateway. */
function brokenCharges(
  { orders, payments }: Stored,
  charges: ReadonlyMap<string, readonly ChargeAtGateway[]>,
): string[] {
  const twice = orders
    .filter(({ orderId }) => capturedIn(charges.get(orderId) ?? []).length > 1)
    .map(({ orderId }) => `${orderId} is charged more than once`);
  const differing = payments
    .filter(({ orderId, paymentId, status, amount }) => {
      const charge = charges.get(orderId)?.find((candidate) => candidate.paymentId === paymentId);
      const charged = charge?.status === 'CAPTURED' || charge?.status === 'REFUNDED';
      const isMoney = status === 'CAPTURED' || status === 'REFUNDED';
      if (charged !== isMoney) return true;
      // Something else than was asked for may be captured, but only what was asked for is kept.
      const isAsked =
        charge?.amount.amount === amount.amount && charge.amount.currency === amount.currency;
      return charged && (charge.status !== status || (status === 'CAPTURED' && !isAsked));
    })
    .map(({ paymentId, status }) => `${paymentId} is ${status} and the gateway says otherwise`);
  const unknown = [...charges.values()]
    .flat()
    .filter(({ paymentId }) => payments.every((payment) => payment.paymentId !== paymentId))
    .map(({ paymentId }) => `${paymentId} was charged and is no payment`);
  return [...twice, ...differing, ...unknown];
}

function capturedIn(charges: readonly ChargeAtGateway[]): readonly ChargeAtGateway[] {
  return charges.filter(({ status }) => status === 'CAPTURED');
}

/** P3, in both directions. */
function brokenSales({ orders, payments, reservations }: Stored): string[] {
  const broken: string[] = [];
  for (const order of orders) {
    const ofOrder = payments.filter(({ orderId }) => orderId === order.orderId);
    const kept = ofOrder.filter(({ status }) => status === 'CAPTURED');
    const sold = reservations.find(
      ({ orderId, status }) => orderId === order.orderId && status === 'CONFIRMED',
    );
    const isRight =
      order.status === 'PAYMENT_DONE'
        ? kept.length === 1 &&
          kept[0]?.paymentId === order.paymentId &&
          kept[0]?.amount.amount === order.total?.amount &&
          sold?.paymentId === order.paymentId
        : kept.length === 0 && sold === undefined;
    if (!isRight) broken.push(`${order.orderId} is ${order.status}: ${JSON.stringify(ofOrder)}`);
  }
  return broken;
}

/** P5: stock is held exactly while its order waits for payment. */
function held({ orders, reservations }: Stored): string[] {
  const statuses = new Map(orders.map((order) => [order.orderId, order]));
  const stuck = reservations
    .filter(({ orderId, status }) => status === 'HELD' && !isDirect(orderId))
    .filter(({ orderId, revision }) => {
      const order = statuses.get(orderId);
      return order?.status !== 'PENDING_PAYMENT' || order.heldRevision !== revision;
    })
    .map(({ orderId }) => `the stock of ${orderId} is held for nothing`);
  const empty = orders
    .filter(({ status }) => status === 'PENDING_PAYMENT')
    .filter(({ orderId }) =>
      reservations.every((one) => one.orderId !== orderId || one.status !== 'HELD'),
    )
    .map(({ orderId }) => `${orderId} waits for its payment and holds nothing`);
  return [...stuck, ...empty];
}

/** P5: an order that waits for its user has the token for which its run waits, so that a decision wakes it. */
export function deafWaits({ orders, waits }: Pick<Snapshot, 'orders' | 'waits'>): string[] {
  return orders
    .filter(({ status }) => status === 'PENDING_PAYMENT')
    .filter(({ orderId, run }) =>
      waits.every((wait) => wait.orderId !== orderId || wait.run !== run || !wait.isOpen),
    )
    .map(({ orderId }) => `P5: ${orderId} waits for its user, and its run for another token`);
}

/** A history names roles, never a user. */
const ROLES = ['user', 'ordersaga', 'operator'];

/** P6: every step is a legal move from the step before, and records reason, time and actor. */
function brokenHistories({ orders, payments }: Stored): string[] {
  return [
    ...orders.flatMap((order) => brokenSteps(order.orderId, order, ORDER_MOVES)),
    ...payments.flatMap((payment) => brokenSteps(payment.paymentId, payment, PAYMENT_MOVES)),
    ...orders
      .filter(({ history }) => history.some(({ by }) => !ROLES.includes(by)))
      .map(({ orderId }) => `${orderId} does not say who`),
  ];
}

function brokenSteps(
  id: string,
  { status, history }: { readonly status: string; readonly history: readonly Change[] },
  moves: readonly (readonly [from: string, to: string])[],
): string[] {
  const broken = history.flatMap(({ from, to, reason, at }) => {
    const isLegal = moves.some((move) => move[0] === (from ?? 'NEW') && move[1] === to);
    const isTold = reason !== '' && new Date(at).toISOString() === at;
    return isLegal && isTold ? [] : [`${id}: ${String(from)} to ${to}, ${reason}, ${at}`];
  });
  return history.at(-1)?.to === status ? broken : [...broken, `${id}: its history ends elsewhere`];
}
