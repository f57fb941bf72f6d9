import { changeProduct } from '../../lib/inventory/change-product.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { changeProductBodySchema, MANAGE_PRODUCTS } from '../../lib/inventory/product-api.ts';
import { etagOf, toProductDocument } from '../../lib/inventory/product-view.ts';
import { apiHandler, versionOf } from '../../lib/platform/api.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'PUT /product/{productId}',
    access: 'user',
    scope: MANAGE_PRODUCTS,
    body: changeProductBodySchema,
    idempotent: true,
  },
  async ({ path, user: { userId }, body, header, idempotencyKey }) => {
    const product = await changeProduct(inventory(), {
      userId,
      idempotencyKey,
      productId: path['productId'] ?? '',
      ifVersion: versionOf(header('if-match')),
      fields: body,
    });
    return {
      status: 200,
      headers: { ETag: etagOf(product) },
      body: toProductDocument(product, true),
    };
  },
);
