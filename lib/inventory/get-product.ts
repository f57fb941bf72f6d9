import { notFound } from '../outside-ids.ts';
import type { InventoryService } from './inventory-service.ts';
import type { Product } from './product.ts';

/** @throws NotFound */
export async function getProduct(inventory: InventoryService, productId: string): Promise<Product> {
  const product = await inventory.catalogue.findProduct(productId);
  if (product === undefined) throw notFound('productId');
  return product;
}
