import { getProduct } from '../../lib/inventory/get-product.ts';
import { MANAGE_PRODUCTS } from '../../lib/inventory/http/product-schemas.ts';
import { toProductDocument } from '../../lib/inventory/http/product-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { etagOf, unlessKnown } from '../../lib/platform/http/etag.ts';
import { forUsersAndServices } from '../../lib/platform/http/for-users-and-services.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  { route: 'GET /product/{productId}', access: forUsersAndServices() },
  async ({ path, user, header }) => {
    const product = await getProduct(inventory(), path['productId'] ?? '');
    return unlessKnown(header('if-none-match'), {
      status: 200,
      headers: { ETag: etagOf(product) },
      body: toProductDocument(product, user.scopes.has(MANAGE_PRODUCTS)),
    });
  },
);
