import { changeProduct } from '../../lib/inventory/change-product.ts';
import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import {
  changeProductBodySchema,
  MANAGE_PRODUCTS,
  toProductDocument,
} from '../../lib/inventory/http/product-api.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { etagOf } from '../../lib/platform/http/answer-headers.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { versionOf } from '../../lib/platform/http/read-request.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'PUT /product/{productId}',
    access: forUsers(MANAGE_PRODUCTS),
    body: {
      schema: changeProductBodySchema,
      example: { unitPrice: { amount: 900, currency: 'EUR' } },
    },
    idempotency: idempotent(),
    headers: ['If-Match'],
    document: {
      tag: 'Products',
      summary: 'Change a product',
      description:
        'Changes the fields it is given. `active: false` takes it off sale: what is reserved or sold ' +
        'already keeps its stock and its price.',
      answers: {
        200: {
          description: 'The product as it is now.',
          example: 'changedProduct',
          headers: ['ETag'],
        },
      } satisfies InventoryAnswers,
      problems: ['NOT_FOUND', 'PRECONDITION_FAILED', 'LOCK_CONTENTION'],
    },
  },
  async ({ path, user: { userId }, body, header, idempotencyKey, correlationId }) => {
    const product = await changeProduct(inventory(), {
      userId,
      idempotencyKey,
      productId: path.productId,
      correlationId,
      ifVersion: versionOf(header('If-Match')),
      fields: body,
    });
    return {
      status: 200,
      headers: { ETag: etagOf(product) },
      body: toProductDocument(product, true),
    };
  },
);
