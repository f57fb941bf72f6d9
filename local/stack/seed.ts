import { createProduct, type NewProduct } from '../../lib/inventory/create-product.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import type { Runtime } from '../../lib/platform/runtime.ts';

const eur = (amount: number) => ({ amount, currency: 'EUR' });

/** The products that every local stack starts with; section 8 of the specification. */
const SEED_PRODUCTS: readonly NewProduct[] = [
  {
    productId: 'prod-coffee',
    name: 'Coffee',
    description: 'One kilogram of espresso beans.',
    unitPrice: eur(1299),
    stock: 100,
    active: true,
  },
  {
    productId: 'prod-mug',
    name: 'Mug',
    description: 'Stoneware, 300 ml.',
    unitPrice: eur(850),
    stock: 25,
    active: true,
  },
  {
    productId: 'prod-grinder',
    name: 'Grinder',
    description: 'A hand grinder with a steel burr. The last one.',
    unitPrice: eur(14_900),
    stock: 1,
    active: true,
  },
  {
    productId: 'prod-retired',
    name: 'Retired blend',
    description: 'Unavailable for now.',
    unitPrice: eur(500),
    stock: 10,
    active: false,
  },
];

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
