import { getProduct } from '../../lib/inventory/get-product.ts';
import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import { MANAGE_PRODUCTS, toProductDocument } from '../../lib/inventory/http/product-api.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { etagOf, unlessKnown } from '../../lib/platform/http/answer-headers.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'GET /product/{productId}',
    access: forUsers(),
    headers: ['If-None-Match'],
    document: {
      tag: 'Products',
      summary: 'Look at a product',
      description: 'With the scope `products:write` it shows all counters of the stock.',
      answers: {
        200: { description: 'The product.', example: 'product', headers: ['ETag'] },
      } satisfies InventoryAnswers,
      problems: ['NOT_FOUND'],
    },
  },
  async ({ path, user, header }) => {
    const product = await getProduct(inventory(), path.productId);
    return unlessKnown(header('If-None-Match'), {
      status: 200,
      headers: { ETag: etagOf(product) },
      body: toProductDocument(product, user.scopes.has(MANAGE_PRODUCTS)),
    });
  },
);
