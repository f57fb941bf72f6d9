import { changeProduct } from '../../lib/inventory/change-product.ts';
import {
  changeProductBodySchema,
  MANAGE_PRODUCTS,
} from '../../lib/inventory/http/product-schemas.ts';
import { toProductDocument } from '../../lib/inventory/http/product-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { etagOf, versionOf } from '../../lib/platform/http/etag.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'PUT /product/{productId}',
    access: forUsers(MANAGE_PRODUCTS),
    body: jsonBody(changeProductBodySchema),
    idempotency: idempotent(),
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
