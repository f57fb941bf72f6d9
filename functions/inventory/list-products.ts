import type { ProductPageDocument } from '../../lib/inventory/http/product-document.ts';
import {
  listProductsQuerySchema,
  MANAGE_PRODUCTS,
} from '../../lib/inventory/http/product-schemas.ts';
import { toProductDocument } from '../../lib/inventory/http/product-view.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import { listProducts } from '../../lib/inventory/list-products.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { forUsers } from '../../lib/platform/http/for-users.ts';
import { queryParameters } from '../../lib/platform/http/query-parameters.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);

export const handler = apiHandler(
  { route: 'GET /product', access: forUsers(), query: queryParameters(listProductsQuerySchema) },
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
