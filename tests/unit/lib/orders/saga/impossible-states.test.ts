import { describe, expect, test } from 'vitest';
import type { Order } from '../../../../../lib/orders/order.ts';
import { compensate } from '../../../../../lib/orders/saga/compensate.ts';
import { queueCompensation } from '../../../../../lib/orders/saga/queue-compensation.ts';
import { rejectReservation } from '../../../../../lib/orders/saga/reject-reservation.ts';
import { reserveStock } from '../../../../../lib/orders/saga/reserve-stock.ts';
import { DomainError } from '../../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, paymentIn, RUN, World, waitOf } from '../fakes.ts';

const unheardOf = { ...orderIn('CREATED'), status: 'UNHEARD_OF' } as unknown as Order;
const unheardOfPurpose = {
  ...orderIn('PENDING_RESERVING_STOCK'),
  purpose: 'UNHEARD_OF',
} as unknown as Order;
/** Reserved again, it would be adopted at the same revision again. */
const adoptedAtOtherRevision = orderIn('PENDING_RESERVING_STOCK', {
  purpose: 'MODIFICATION',
  adopted: { revision: 4, expiresAtMs: NOW_MS + 600_000, lines: [] },
});
const input = { ...RUN, ...waitOf('wait', { enteredAtMs: NOW_MS }), failure: 'OutOfStock' };

type Service = World['service'];

const CASES: readonly (readonly [string, Order, (service: Service) => Promise<unknown>])[] = [
  ['reserve-stock, unknown status', unheardOf, (its) => reserveStock(its, input)],
  ['reject-reservation, unknown status', unheardOf, (its) => rejectReservation(its, input)],
  ['compensate, unknown status', unheardOf, (its) => compensate(its, input)],
  ['reject-reservation, unknown purpose', unheardOfPurpose, (its) => rejectReservation(its, input)],
  ['reserve-stock, other revision', adoptedAtOtherRevision, (its) => reserveStock(its, input)],
  [
    'queue-compensation, no order',
    orderIn('PAYMENT_IN_PROGRESS'),
    (its) => queueCompensation(its, { ...RUN, orderId: 'ord_gone' }),
  ],
];

describe('an order that no write can have led to', () => {
  test.each(CASES)('fails %s, by that name, at the first try', async (_step, order, take) => {
    const world = new World(order);
    const error: unknown = await take(world.service).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ImpossibleState' });
    expect(error).not.toBeInstanceOf(DomainError);
    expect(world.effects.filter((call) => !call.startsWith('store '))).toEqual([]);
    const reads = world.calls.filter((call) => call.startsWith('find order')).length;
    // A step that waits reads once before its token is stored, and once after.
    expect(reads).toBeLessThanOrEqual(2);
  });

  test('is no longer there when the refund of its payment is recorded', async () => {
    const owed = { refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS } };
    const world = new World(orderIn('PAYMENT_FAILED'), paymentIn('CAPTURED', owed));
    world.interfere = (call) => {
      if (call.startsWith('gateway.refund')) world.stored.clear();
    };
    await expect(compensate(world.service, RUN)).rejects.toMatchObject({ name: 'UnknownPayment' });
  });
});
