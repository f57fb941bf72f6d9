import type { InventoryAnswers } from '../../lib/inventory/http/inventory-examples.ts';
import {
  listProductsQuerySchema,
  MANAGE_PRODUCTS,
  toProductDocument,
} from '../../lib/inventory/http/product-api.ts';
import type { ProductPageDocument } from '../../lib/inventory/http/product-response.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { listProducts } from '../../lib/inventory/list-products.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/user-access.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  {
    route: 'GET /product',
    access: forUsers(),
    query: { schema: listProductsQuerySchema, example: { limit: 10 } },
    document: {
      tag: 'Products',
      summary: 'List the products',
      description:
        'By id, page by page. With the scope `products:write` it shows all counters of the stock.',
      answers: {
        200: { description: 'One page.', example: 'productPage' },
      } satisfies InventoryAnswers,
    },
  },
  async ({ user, query }) => {
    const { products, next } = await listProducts(inventory(), query);
    const showsStock = user.scopes.has(MANAGE_PRODUCTS);
    return {
      status: 200,
      body: {
        products: products.map((product) => toProductDocument(product, showsStock)),
        next,
      } satisfies ProductPageDocument,
    };
  },
);
