import { notFound } from '../outside-ids.ts';
import { toTimestamp } from '../platform/clock.ts';
import { CONFLICT } from '../platform/dynamo/items.ts';
import { IdempotencyConflict } from '../platform/errors.ts';
import { deriveId } from '../platform/ids.ts';
import { observe } from '../platform/lambda/observe.ts';
import { getProduct } from './get-product.ts';
import { untilCommitted } from './inventory-repository.ts';
import type { InventoryService } from './inventory-service.ts';
import type { Product, StockReceipt } from './product.ts';

const ROUTE = 'POST /product/{productId}/stock';

export interface ReceiveStockRequest {
  readonly userId: string;
  readonly idempotencyKey: string | undefined;
  readonly correlationId?: string | undefined;
  readonly productId: string;
  readonly quantity: number;
}

/**
 * Adds received units to a product's stock. The same request with the same key counts once, even if
 * the process that counted it died before it could answer.
 * @returns the product after it.
 * @throws NotFound; IdempotencyConflict if the key was used for another quantity;
 * LockContention: try again with the same key.
 */
export async function receiveStock(
  inventory: InventoryService,
  { userId, idempotencyKey, correlationId, productId, quantity }: ReceiveStockRequest,
): Promise<Product> {
  const key = idempotencyKey ?? inventory.ids.random();
  const receipt: StockReceipt = {
    receiptId: deriveId('rcpt', userId, ROUTE, productId, key),
    productId,
    quantity,
    at: toTimestamp(inventory.clock.now()),
    by: userId,
  };
  const stored = await untilCommitted<StockReceipt>(inventory, () => receive(inventory, receipt));
  if (stored === receipt) {
    const facts = { productId, userId, quantity };
    observe('ProductChanged', { correlationId }, { change: 'STOCK_RECEIVED' }, facts);
  }
  return getProduct(inventory, productId);
}

async function receive(
  inventory: InventoryService,
  receipt: StockReceipt,
): Promise<StockReceipt | typeof CONFLICT> {
  const refusal = await inventory.catalogue.addReceipt(receipt);
  if (refusal === undefined) return receipt;
  if (refusal.kind === 'CONFLICT') return CONFLICT;
  // The id derives from the key: this request was here before, perhaps in a process that died.
  const first = await inventory.catalogue.findReceipt(receipt.receiptId);
  if (first === undefined) throw notFound('productId');
  if (first.quantity !== receipt.quantity) {
    throw new IdempotencyConflict(
      'This Idempotency-Key was used to receive another quantity; use a new key.',
    );
  }
  return first;
}
