import type { HttpResponse } from '../lib/platform/http/http-client.ts';
import type { Snapshot } from './world/snapshot.ts';

/** A user's request, as far as its answer is checked later. */
export interface Asked {
  readonly user: string;
  readonly method: string;
  readonly path: string;
}

interface Named {
  readonly orderId?: string;
  readonly paymentId?: string;
}

/** P4: collects what 2xx responses promised to users, and checks at rest that it still holds. */
export class Acknowledged {
  readonly #orders = new Set<string>();
  readonly #payments = new Set<string>();
  readonly #cancelled = new Set<string>();
  /** Accepted changes of items, by order. */
  readonly #modifications = new Map<string, number>();
  /** Requests for an order, by user; repetitions with the same key count once. */
  readonly #placings = new Map<string, number>();

  /** Takes note of a request; to be called before its first try. */
  asked({ user, method, path }: Asked): void {
    if (method !== 'POST' || path !== '/order') return;
    this.#placings.set(user, (this.#placings.get(user) ?? 0) + 1);
  }

  /** Takes note of a response; after a 2xx the request is not sent again. */
  answered({ method, path }: Asked, { status, body }: HttpResponse): void {
    if (status >= 300) return;
    const { orderId, paymentId } = (body ?? {}) as Named;
    if (orderId !== undefined) this.#orders.add(orderId);
    if (paymentId !== undefined && path.includes('payment')) this.#payments.add(paymentId);
    const [, order, about] = path.split('/');
    if (order !== 'order' || about === undefined || orderId === undefined) return;
    if (about === 'cancelorder') this.#cancelled.add(orderId);
    if (method !== 'PUT') return;
    this.#modifications.set(orderId, (this.#modifications.get(orderId) ?? 0) + 1);
  }

  /** Acknowledged facts that a world at rest does not hold, one message each. */
  lostIn({ orders, payments }: Pick<Snapshot, 'orders' | 'payments'>): string[] {
    const order = new Map(orders.map((one) => [one.orderId, one]));
    const known = new Set(payments.map(({ paymentId }) => paymentId));
    return [
      ...[...this.#orders]
        .filter((orderId) => !order.has(orderId))
        .map((orderId) => `P4: ${orderId} was acknowledged and is lost`),
      ...[...this.#payments]
        .filter((paymentId) => !known.has(paymentId))
        .map((paymentId) => `P4: ${paymentId} was acknowledged and is lost`),
      ...[...this.#cancelled]
        .filter((orderId) => order.get(orderId)?.status !== 'ORDER_CANCELLED')
        .map((orderId) => `P4: ${orderId} was cancelled and is not`),
      ...[...this.#modifications]
        .filter(([orderId, times]) => (order.get(orderId)?.modifications ?? 0) < times)
        .map(([orderId]) => `P4: a change of ${orderId} was acknowledged and is lost`),
      ...orders
        .filter(({ modification }) => modification?.status === 'PENDING')
        .map(({ orderId }) => `P5: a change of ${orderId} is never decided`),
      ...[...this.#placings]
        .filter(([user, times]) => orders.filter(({ userId }) => userId === user).length > times)
        .map(([user]) => `P4: ${user} has more orders than requests`),
    ];
  }
}
