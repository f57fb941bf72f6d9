import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import {
  InventoryRepository,
  toProduct,
  toProductItem,
  toReservation,
  toReservationItem,
} from '../../../../lib/inventory/inventory-repository.ts';
import type { Product } from '../../../../lib/inventory/product.ts';
import { toReceipt, toReceiptItem } from '../../../../lib/inventory/product-repository.ts';
import type { Reservation } from '../../../../lib/inventory/reservation.ts';
import { MalformedItem, UnknownSchemaVersion } from '../../../../lib/platform/dynamo/items.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';
import { product } from './fake-inventory.ts';

const base = { orderId: 'ord_1', revision: 3, version: 2 };
const lines = [{ productId: 'mug', quantity: 2, unitPrice: { amount: 1299, currency: 'EUR' } }];
const HELD: Reservation = {
  ...base,
  status: 'HELD',
  lines,
  heldSinceMs: 1_772_365_500_000,
  expiresAtMs: 1_772_366_400_000,
  correlationId: 'corr-1',
};

/** A repository over a table that answers every read with these items. */
function repositoryOver(...items: readonly object[]): InventoryRepository {
  const documents = {
    send: () => Promise.resolve({ Responses: { inventory: items } }),
  } as unknown as DynamoDBDocumentClient;
  const config = { INVENTORY_TABLE: 'inventory' };
  return new InventoryRepository({ config, aws: { clients: { documents } } } as unknown as Runtime);
}

describe('a reservation', () => {
  test.each<Reservation>([
    HELD,
    { ...base, status: 'CONFIRMED', lines, paymentId: 'pay_1' },
    { ...base, status: 'RELEASED', because: 'EXPIRED' },
  ])('in $status is read as it was written', (reservation) => {
    const item = toReservationItem(reservation);
    expect(item).toMatchObject({ pk: 'RESERVATION#ord_1', schemaVersion: 2 });
    expect(toReservation(item)).toEqual(reservation);
  });

  test('is found by the sweeper only while it is held', () => {
    // By hand: the shard of this order.
    expect(toReservationItem(HELD)).toHaveProperty('expiryShard', 'expiry#14');
    const released = { ...base, status: 'RELEASED', because: 'EXPIRED' } as const;
    expect(toReservationItem(released)).not.toHaveProperty('expiryShard');
  });

  test.each([
    ['no lines', { lines: undefined }, 'lines'],
    ['a line without a price', { lines: [{ productId: 'mug', quantity: 2 }] }, 'lines.0.unitPrice'],
    ['a status that is not known', { status: 'LOST' }, 'status'],
    ['no time at which it expires', { expiresAtMs: undefined }, 'expiresAtMs'],
  ])('with %s reaches no use case', async (_what, changes, field) => {
    const item = { ...toReservationItem(HELD), ...changes };
    const read = repositoryOver(item).findReservation('ord_1');
    await expect(read).rejects.toThrow(MalformedItem);
    await expect(read).rejects.toThrow(`RESERVATION#ord_1 is malformed at ${field}`);
  });

  test('of a newer version is refused by name', () => {
    const item = { ...toReservationItem(HELD), schemaVersion: 3 };
    expect(() => toReservation(item)).toThrow(UnknownSchemaVersion);
  });
});

describe('a product', () => {
  const moved: Product = { ...product('mug', 3), movements: 4, changedAs: 'req_2' };

  test.each([product('mug', 3), moved])('is read as it was written', (stored) => {
    const item = toProductItem(stored);
    expect(item).toMatchObject({ pk: 'PRODUCT#mug', schemaVersion: 1, catalogue: 'PRODUCT' });
    expect(toProduct(item)).toEqual(stored);
  });

  test('without a price is malformed', async () => {
    const { unitPrice: _unitPrice, ...item } = toProductItem(moved);
    const read = repositoryOver(item).view('ord_1', [{ productId: 'mug' }]);
    await expect(read).rejects.toThrow('PRODUCT#mug is malformed at unitPrice.');
  });
});

test('a receipt is read as it was written', () => {
  const receipt = {
    receiptId: 'rcpt_1',
    productId: 'mug',
    quantity: 2,
    at: '2026-03-01T12:00:00.000Z',
  };
  expect(toReceipt(toReceiptItem(receipt))).toEqual(receipt);
  expect(() => toReceipt({ ...toReceiptItem(receipt), quantity: 'two' })).toThrow(
    'RECEIPT#rcpt_1 is malformed at quantity.',
  );
});
