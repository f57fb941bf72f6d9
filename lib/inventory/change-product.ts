import type { Money } from '../money.ts';
import { toTimestamp } from '../platform/clock.ts';
import { CONFLICT } from '../platform/dynamo/items.ts';
import { PreconditionFailed } from '../platform/errors.ts';
import { deriveId } from '../platform/ids.ts';
import { observe } from '../platform/lambda/observe.ts';
import { getProduct } from './get-product.ts';
import { untilCommitted } from './inventory-repository.ts';
import type { InventoryService } from './inventory-service.ts';
import type { ChangeRecord, Product, ProductChange } from './product.ts';

const ROUTE = 'PUT /product/{productId}';

export interface ChangeProductRequest {
  readonly userId: string;
  readonly idempotencyKey: string | undefined;
  readonly correlationId?: string | undefined;
  readonly productId: string;
  /** Version that the caller has seen, from `If-Match`; undefined: any. */
  readonly ifVersion: number | undefined;
  /** New values; at least one is given. */
  readonly fields: {
    readonly name?: string | undefined;
    readonly description?: string | undefined;
    readonly unitPrice?: Money | undefined;
    readonly maxPerOrder?: number | undefined;
    readonly active?: boolean | undefined;
  };
}

/**
 * Changes the given fields. A price, a limit or a withdrawal applies to later reservations; stock that is
 * already reserved or sold keeps its price.
 * @throws NotFound; PreconditionFailed if the product has another version than `ifVersion`.
 */
export async function changeProduct(
  inventory: InventoryService,
  { userId, idempotencyKey, correlationId, productId, ifVersion, fields }: ChangeProductRequest,
): Promise<Product> {
  const key = idempotencyKey ?? inventory.ids.random();
  const change = changeOf(fields);
  const changedAs = deriveId('req', userId, ROUTE, productId, key, JSON.stringify(change));
  const written = await untilCommitted<ChangeRecord | 'BEFORE'>(inventory, async () => {
    const stored = await getProduct(inventory, productId);
    if (stored.changedAs === changedAs) return 'BEFORE';
    if (ifVersion !== undefined && ifVersion !== stored.version) {
      throw new PreconditionFailed(
        'The product has changed since you read it; read it again and decide anew.',
        { details: { productId } },
      );
    }
    const record: ChangeRecord = {
      productId,
      version: stored.version + 1,
      at: toTimestamp(inventory.clock.now()),
      by: userId,
      from: formerOf(stored, change),
      to: change,
    };
    const refusal = await inventory.catalogue.changeProduct(
      stored,
      { ...change, changedAs },
      record,
    );
    return refusal === undefined ? record : CONFLICT;
  });
  if (written !== 'BEFORE') {
    const { from, to } = written;
    const facts = { productId, userId, from, to };
    observe('ProductChanged', { correlationId }, { change: 'CHANGED' }, facts);
  }
  return getProduct(inventory, productId);
}

/** The fields of a change as the product has them now. */
function formerOf(product: Product, change: ProductChange): ProductChange {
  const { name, description, unitPrice, maxPerOrder, status } = product;
  const limit = maxPerOrder === undefined ? {} : { maxPerOrder };
  const former = { name, description, unitPrice, ...limit, status };
  return Object.fromEntries(Object.entries(former).filter(([field]) => field in change));
}

function changeOf({
  name,
  description,
  unitPrice,
  maxPerOrder,
  active,
}: ChangeProductRequest['fields']): ProductChange {
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(unitPrice === undefined ? {} : { unitPrice }),
    ...(maxPerOrder === undefined ? {} : { maxPerOrder }),
    ...(active === undefined ? {} : { status: active ? 'ACTIVE' : 'WITHDRAWN' }),
  };
}
