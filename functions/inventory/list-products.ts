import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { MANAGE_PRODUCTS, toProductDocument } from '../../lib/inventory/products.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler({ route: 'GET /product', access: 'user' }, async ({ user }) => {
  const products = await inventory().repository.listProducts();
  const showsStock = user.scopes.has(MANAGE_PRODUCTS);
  return {
    status: 200,
    body: {
      products: products.map((product) => toProductDocument(product, showsStock)),
      next: null,
    },
  };
});
