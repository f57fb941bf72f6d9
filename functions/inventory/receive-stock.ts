import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import {
  MANAGE_PRODUCTS,
  receiveStockBodySchema,
  toProductDocument,
} from '../../lib/inventory/http/product-api.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { receiveStock } from '../../lib/inventory/receive-stock.ts';
import { etagOf } from '../../lib/platform/http/answer-headers.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'POST /product/{productId}/stock',
    access: forUsers(MANAGE_PRODUCTS),
    body: { schema: receiveStockBodySchema, example: { quantity: 10 } },
    idempotency: idempotent(),
    document: {
      tag: 'Products',
      summary: 'Receive stock',
      description: 'Adds delivered pieces. With an `Idempotency-Key`, a receipt counts once.',
      answers: {
        200: {
          description: 'The product as it is now.',
          example: 'restockedProduct',
          headers: ['ETag'],
        },
      } satisfies InventoryAnswers,
      problems: ['NOT_FOUND', 'LOCK_CONTENTION'],
    },
  },
  async ({ path, user: { userId }, body: { quantity }, idempotencyKey, correlationId }) => {
    const { productId } = path;
    const request = { userId, idempotencyKey, correlationId, productId, quantity };
    const product = await receiveStock(inventory(), request);
    return {
      status: 200,
      headers: { ETag: etagOf(product) },
      body: toProductDocument(product, true),
    };
  },
);
