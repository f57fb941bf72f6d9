import type { InventoryClient } from '../inventory/inventory-client.ts';
import { notFound } from '../outside-ids.ts';
import type { Payment } from '../payments/payment.ts';
import type { PaymentGateway } from '../payments/payment-gateway.ts';
import { type Clock, toTimestamp } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { pauseAfter } from '../platform/dynamo/items.ts';
import { ConcurrentUpdate } from '../platform/errors.ts';
import { deriveId, type Ids } from '../platform/ids.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import type { Move } from './moves.ts';
import type { Order, OrderLine, Role } from './order.ts';
import { itemsFingerprint } from './order-items.ts';
import { paymentOf } from './order-payments.ts';
import { OrderRepository } from './order-repository.ts';
import { orderIdOfPayment } from './payment-id.ts';
import { type Deadlines, deadlinesOf } from './recovery/deadlines.ts';
import type { SagaQueues } from './recovery/saga-queues.ts';
import type { SagaClient } from './saga-client.ts';

/** Clients of other services, which only some use cases and saga steps need. */
export interface OrderPorts {
  readonly inventory: InventoryClient;
  readonly gateway: PaymentGateway;
  readonly saga: SagaClient;
  readonly queues: SagaQueues;
}

/** Dependencies of every use case and saga step. */
interface OrderCore {
  readonly orders: OrderRepository;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: () => number;
  readonly config: Config;
  readonly deadlines: Deadlines;
}

/**
 * The Order Service with the ports named in `Port`, and no others: a function that never signals the saga
 * does not bundle its client.
 */
export type OrderService<Port extends keyof OrderPorts = never> = OrderCore &
  Pick<OrderPorts, Port>;

/**
 * Makes the builder of an Order Service with the given ports:
 * `perRuntime(orderServiceWith({ saga: sagaClient }))`.
 */
export function orderServiceWith<Ports extends Partial<OrderPorts>>(
  ports: {
    readonly [Port in keyof Ports]: (runtime: Runtime) => Ports[Port];
  },
): (runtime: Runtime) => OrderCore & Ports {
  return (runtime) => {
    const made = Object.entries<(runtime: Runtime) => unknown>(ports).map(
      ([port, make]) => [port, make(runtime)] as const,
    );
    return { ...orderCore(runtime), ...(Object.fromEntries(made) as Ports) };
  };
}

function orderCore(runtime: Runtime): OrderCore {
  return {
    orders: new OrderRepository(runtime),
    clock: runtime.clock,
    ids: runtime.ids,
    random: runtime.random,
    config: runtime.config,
    deadlines: deadlinesOf(runtime.config),
  };
}

const MAX_TRIES = 8;
const CONFLICT_PAUSE = { baseMs: 20, capMs: 160 };

/** A move made now. */
export function moveNow(service: OrderService, reason: string, by: Role = 'ordersaga'): Move {
  return { reason, at: toTimestamp(service.clock.now()), by };
}

/**
 * Reads, decides and writes until no other writer interferes.
 * @param decide receives `known` at the first try, and undefined later: then it has to read.
 * @param known the item as it was read or written a moment ago.
 * @throws ConcurrentUpdate if every attempt lost.
 */
export async function retryOnConflict<Result, Known = undefined>(
  service: Pick<OrderService, 'clock' | 'random'>,
  decide: (known: Known | undefined) => Promise<Result>,
  known?: Known,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await decide(tries === 1 ? known : undefined);
    } catch (error) {
      if (!(error instanceof ConcurrentUpdate) || tries === MAX_TRIES) throw error;
    }
    await pauseAfter(tries, service, CONFLICT_PAUSE);
  }
}

/**
 * Reads an order for its user; another user's order does not exist for the caller (P7).
 * @throws NotFound
 */
export async function ownedOrder(
  service: OrderService,
  orderId: string,
  userId: string,
): Promise<Order> {
  const order = await service.orders.getOrder(orderId);
  if (order?.userId !== userId) throw notFound('orderId');
  return order;
}

/** Digest of products and quantities, in whatever order of the lines. */
export function itemsKeyOf(lines: readonly OrderLine[]): string {
  return deriveId('items', itemsFingerprint(lines));
}

/** Digest of a keyed request, by which its repetition after a crash is recognised. */
export function requestDigest(
  userId: string,
  route: string,
  idempotencyKey: string | undefined,
): string | undefined {
  return idempotencyKey === undefined ? undefined : deriveId('req', userId, route, idempotencyKey);
}

/**
 * Reads a payment for its user, in its order. An id that no payment can have never becomes a key.
 * @throws NotFound
 */
export async function ownedPayment(
  service: OrderService,
  paymentId: string,
  userId: string,
): Promise<{ readonly orderId: string; readonly payment: Payment }> {
  const orderId = orderIdOfPayment(paymentId);
  const order = orderId === undefined ? undefined : await service.orders.getOrder(orderId);
  const payment = order?.userId === userId ? paymentOf(order, paymentId) : undefined;
  if (order === undefined || payment === undefined) {
    throw notFound('paymentId');
  }
  return { orderId: order.orderId, payment };
}
