import { type PageQuery, pageOf } from '../platform/dynamo/paging.ts';
import type { InventoryService } from './inventory-service.ts';
import type { Product } from './product.ts';

/** Lists one page of all products, by id. A brand-new product may still be missing. */
export async function listProducts(
  inventory: InventoryService,
  { limit, cursor }: PageQuery,
): Promise<{ readonly products: readonly Product[]; readonly next: string | null }> {
  const productIds = await inventory.catalogue.productIds(cursor, limit + 1);
  const { page, next } = pageOf(productIds, limit, String);
  return { products: await inventory.catalogue.findProducts(page), next };
}
