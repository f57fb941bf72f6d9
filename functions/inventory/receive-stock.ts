import {
  MANAGE_PRODUCTS,
  receiveStockBodySchema,
} from '../../lib/inventory/http/product-schemas.ts';
import { toProductDocument } from '../../lib/inventory/http/product-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { receiveStock } from '../../lib/inventory/receive-stock.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { etagOf } from '../../lib/platform/http/etag.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { jsonBody } from '../../lib/platform/http/json-body.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'POST /product/{productId}/stock',
    access: forUsers(MANAGE_PRODUCTS),
    body: jsonBody(receiveStockBodySchema),
    idempotency: idempotent(),
  },
  async ({ path, user: { userId }, body: { quantity }, idempotencyKey }) => {
    const productId = path['productId'] ?? '';
    const request = { userId, idempotencyKey, productId, quantity };
    const product = await receiveStock(inventory(), request);
    return {
      status: 200,
      headers: { ETag: etagOf(product) },
      body: toProductDocument(product, true),
    };
  },
);
