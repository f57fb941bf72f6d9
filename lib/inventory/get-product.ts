import { NotFound } from '../platform/errors.ts';
import type { InventoryService } from './inventory-service.ts';
import type { Product } from './product.ts';

/** @throws NotFound */
export async function getProduct(inventory: InventoryService, productId: string): Promise<Product> {
  const product = await inventory.catalogue.findProduct(productId);
  if (product === undefined) throw noSuchProduct(productId);
  return product;
}

export function noSuchProduct(productId: string): NotFound {
  return new NotFound(`There is no product ${productId}; see GET /product.`);
}
