import type { Money } from '../money.ts';
import { toTimestamp } from '../platform/clock.ts';
import { CONFLICT } from '../platform/dynamo/items.ts';
import { IdempotencyConflict } from '../platform/errors.ts';
import { deriveId } from '../platform/ids.ts';
import { observe } from '../platform/lambda/observe.ts';
import { getProduct } from './get-product.ts';
import { untilCommitted } from './inventory-repository.ts';
import type { InventoryService } from './inventory-service.ts';
import type { ChangeRecord, Product } from './product.ts';
import { ProductExists } from './refusals.ts';

const ROUTE = 'POST /product';

export interface NewProduct {
  /** Default: derived from the request. */
  readonly productId?: string | undefined;
  readonly name: string;
  readonly description: string;
  readonly unitPrice: Money;
  /** Units received with the product's creation. */
  readonly stock: number;
  readonly active: boolean;
  /** Pieces that one order may have of it. Default: DEFAULT_MAX_PER_ORDER. */
  readonly maxPerOrder?: number | undefined;
}

export interface CreateProductRequest {
  readonly userId: string;
  readonly idempotencyKey?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly product: NewProduct;
}

/**
 * Creates a product with its first stock. The same request with the same key finds the product it
 * made before, even if the process that made it died.
 * @throws ProductExists if another request has taken the id.
 * @throws IdempotencyConflict if the key made another product.
 */
export function createProduct(
  inventory: InventoryService,
  { userId, idempotencyKey, correlationId, product: given }: CreateProductRequest,
): Promise<Product> {
  const { name, description, unitPrice, stock, active, maxPerOrder } = given;
  const key = idempotencyKey ?? inventory.ids.random();
  const content = [given.productId, name, description, unitPrice.amount, unitPrice.currency];
  // Absent from the digests of requests without it, which older code derived too.
  const digested = maxPerOrder === undefined ? [] : [maxPerOrder];
  const limit = maxPerOrder === undefined ? {} : { maxPerOrder };
  const product: Product = {
    // All product ids have one pattern, without underscores.
    productId: given.productId ?? deriveId('prod', userId, ROUTE, key).replace('_', '-'),
    name,
    description,
    unitPrice,
    ...limit,
    status: active ? 'ACTIVE' : 'WITHDRAWN',
    version: 1,
    createdAs: deriveId(
      'req',
      userId,
      ROUTE,
      key,
      JSON.stringify([...content, stock, active, ...digested]),
    ),
    available: stock,
    reserved: 0,
    sold: 0,
    received: stock,
  };
  const record: ChangeRecord = {
    productId: product.productId,
    version: product.version,
    at: toTimestamp(inventory.clock.now()),
    by: userId,
    from: {},
    to: { name, description, unitPrice, ...limit, status: product.status },
  };
  return untilCommitted<Product>(inventory, async () => {
    const refusal = await inventory.catalogue.addProduct(product, record);
    if (refusal === undefined) {
      const facts = { productId: product.productId, userId, to: record.to, stock };
      observe('ProductChanged', { correlationId }, { change: 'CREATED' }, facts);
      return product;
    }
    if (refusal.kind === 'CONFLICT') return CONFLICT;
    const existing = await getProduct(inventory, product.productId);
    if (existing.createdAs === product.createdAs) return existing;
    throw given.productId === undefined
      ? new IdempotencyConflict(IdempotencyConflict.refusal.advice)
      : new ProductExists(
          `There is a product ${given.productId} already; change it, or choose another id.`,
          { details: { productId: given.productId } },
        );
  });
}
