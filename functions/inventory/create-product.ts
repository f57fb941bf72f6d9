import { createProduct } from '../../lib/inventory/create-product.ts';
import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import {
  createProductBodySchema,
  MANAGE_PRODUCTS,
  toProductDocument,
} from '../../lib/inventory/http/product-api.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { etagOf } from '../../lib/platform/http/answer-headers.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { idempotent } from '../../lib/platform/http/idempotent.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'POST /product',
    access: forUsers(MANAGE_PRODUCTS),
    body: {
      schema: createProductBodySchema,
      example: {
        productId: 'prod-mug',
        name: 'Mug',
        description: 'Stoneware, 300 ml.',
        unitPrice: { amount: 850, currency: 'EUR' },
        active: true,
        stock: 25,
      },
    },
    idempotency: idempotent(),
    document: {
      tag: 'Products',
      summary: 'Create a product',
      description: 'With its first stock. A product without an id is given one.',
      answers: {
        201: {
          description: 'The product is created.',
          example: 'newProduct',
          headers: ['Location', 'ETag'],
        },
      } satisfies InventoryAnswers,
      problems: ['PRODUCT_EXISTS', 'LOCK_CONTENTION'],
    },
  },
  async ({ user: { userId }, body, idempotencyKey, correlationId }) => {
    const request = { userId, idempotencyKey, correlationId, product: body };
    const product = await createProduct(inventory(), request);
    return {
      status: 201,
      headers: { Location: `/product/${product.productId}`, ETag: etagOf(product) },
      body: toProductDocument(product, true),
    };
  },
);
