import { type PageQuery, pageOf } from '../platform/dynamo/paging.ts';
import type { InventoryService } from './inventory-service.ts';
import type { Product } from './product.ts';

/** Lists one page of all products, by id. A brand-new product may still be missing. */
export async function listProducts(
  inventory: InventoryService,
  { limit, cursor }: PageQuery,
): Promise<{ readonly products: readonly Product[]; readonly next: string | null }> {
  const { page, next } = pageOf(await inventory.catalogue.productIds(cursor, limit + 1), limit);
  return { products: await inventory.catalogue.findProducts(page), next };
}
