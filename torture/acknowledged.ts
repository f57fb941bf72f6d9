import type { HttpResponse } from '../lib/platform/http/http-client.ts';
import type { Snapshot } from './world/snapshot.ts';

/** A user's request and what it is held against. */
export interface Asked {
  readonly user: string;
  readonly method: string;
  readonly path: string;
}

interface Named {
  readonly orderId?: string;
  readonly paymentId?: string;
}

/** P4: what users were told with a 2xx, and whether it is still so at rest. */
export class Acknowledged {
  readonly #orders = new Set<string>();
  readonly #payments = new Set<string>();
  readonly #cancelled = new Set<string>();
  /** By order: how often a change of its items was taken. */
  readonly #modifications = new Map<string, number>();
  /** By user: how many requests for an order there were, repetitions with the same key not counted. */
  readonly #placings = new Map<string, number>();

  /** To be told of each request before it is sent for the first time. */
  asked({ user, method, path }: Asked): void {
    if (method !== 'POST' || path !== '/order') return;
    this.#placings.set(user, (this.#placings.get(user) ?? 0) + 1);
  }

  /** To be told of the one answer that the user goes by. */
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

  /** What is not as it was acknowledged, in words; of a world at rest. */
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
