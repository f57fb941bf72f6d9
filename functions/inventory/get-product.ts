import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { getProduct, MANAGE_PRODUCTS, toProductDocument } from '../../lib/inventory/products.ts';
import { apiHandler } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  { route: 'GET /product/{productId}', access: 'user-or-service' },
  async ({ path, user }) => {
    const product = await getProduct(inventory(), path['productId'] ?? '');
    return {
      status: 200,
      body: toProductDocument(product, user.scopes.has(MANAGE_PRODUCTS)),
    };
  },
);
