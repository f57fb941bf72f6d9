import { createProduct, type NewProduct } from '../../lib/inventory/create-product.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';
import { SEED_PRODUCTS } from './seed-products.ts';

/** Writes products, the seed products unless told otherwise, through the Inventory Service's own code. */
export async function seedProducts(
  runtime: Runtime,
  products: readonly NewProduct[] = SEED_PRODUCTS,
): Promise<void> {
  const inventory = inventoryService(runtime);
  await Promise.all(
    products.map((product) =>
      // By the key a later start finds what an earlier one has made, whatever became of it since.
      createProduct(inventory, { userId: 'seed', idempotencyKey: 'seed', product }),
    ),
  );
}
