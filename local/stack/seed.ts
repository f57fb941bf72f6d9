import { createProduct, type NewProduct } from '../../lib/inventory/create-product.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { ProductExists } from '../../lib/inventory/refusals.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';
import { SEED_PRODUCTS } from './seed-products.ts';

/** Creates products, by default the seed products, with the Inventory Service's own code. */
export async function seedProducts(
  runtime: Runtime,
  products: readonly NewProduct[] = SEED_PRODUCTS,
): Promise<void> {
  const inventory = inventoryService(runtime);
  await Promise.all(
    products.map((product) =>
      // The idempotency key makes a later start find the products of an earlier one, even if they were changed
      // since; an earlier version of this list may have made them otherwise.
      createProduct(inventory, { userId: 'seed', idempotencyKey: 'seed', product }).catch(
        (error: unknown) => {
          if (!(error instanceof ProductExists)) throw error;
        },
      ),
    ),
  );
}
