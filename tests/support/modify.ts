import { expect } from 'vitest';
import type { Scene } from './scene.ts';
import { chargesOf, type Items, type OrderDocument } from './shop.ts';
import { asTimeGoesOn, eventually } from './stack.ts';

export const of = (product: string, quantity: number): Items => [{ productId: product, quantity }];

export const eur = (amount: number) => ({ amount, currency: 'EUR' });

/** The fields that a refused modification must not change. */
export function standing({ items, total, reservationExpiresAt }: OrderDocument) {
  return { items, total, reservationExpiresAt };
}

/** Steps and checks that the tests of modified orders share. */
export function modifying(scene: Scene) {
  async function charges(orderId: string): Promise<string[]> {
    return (await chargesOf(scene.stack, orderId)).map(
      ({ status, amount }) => `${status} ${String(amount.amount)}`,
    );
  }

  /** Pays, and checks that the gateway captured the order's total once. */
  async function payInFull(orderId: string, total: number): Promise<void> {
    const paid = await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
    expect(paid.summary, paid.text).toBe('200 CAPTURED');
    expect(paid.payment.amount).toEqual(eur(total));
    expect((await scene.user.expectStatus(orderId, 'PAYMENT_DONE')).total).toEqual(eur(total));
    expect((await charges(orderId)).filter((one) => one.startsWith('CAPTURED'))).toEqual([
      `CAPTURED ${String(total)}`,
    ]);
  }

  /** Lets time pass, with schedules and queues, until the order has one of the statuses. */
  function dispatchedUntil(
    orderId: string,
    ...statuses: readonly string[]
  ): Promise<OrderDocument> {
    return asTimeGoesOn(
      scene.stack,
      async () => {
        await scene.stack.runSchedules();
        await scene.stack.pollQueues();
        return scene.user.expectStatus(orderId, ...statuses);
      },
      { stepSeconds: 10 },
    );
  }

  /** Waits until a modification has its outcome. */
  function decided(orderId: string, status: 'APPLIED' | 'REJECTED'): Promise<OrderDocument> {
    return eventually(async () => {
      const order = await scene.user.order(orderId);
      expect(order.modification?.status, JSON.stringify(order.history)).toBe(status);
      expect(order.status).not.toBe('PENDING_RESERVING_STOCK');
      return order;
    });
  }

  return { charges, payInFull, dispatchedUntil, decided };
}
