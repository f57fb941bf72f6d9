import { createProduct } from '../../lib/inventory/create-product.ts';
import {
  createProductBodySchema,
  MANAGE_PRODUCTS,
} from '../../lib/inventory/http/product-schemas.ts';
import { toProductDocument } from '../../lib/inventory/http/product-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { etagOf } from '../../lib/platform/http/etag.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'POST /product',
    access: forUsers(MANAGE_PRODUCTS),
    body: jsonBody(createProductBodySchema),
    idempotency: idempotent(),
  },
  async ({ user: { userId }, body, idempotencyKey }) => {
    const product = await createProduct(inventory(), { userId, idempotencyKey, product: body });
    return {
      status: 201,
      headers: { Location: `/product/${product.productId}`, ETag: etagOf(product) },
      body: toProductDocument(product, true),
    };
  },
);
