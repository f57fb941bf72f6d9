import type { Answers } from '../../platform/http/endpoint.ts';
import { example, type ServiceExamples } from '../../platform/http/examples.ts';
import { moneySchema } from '../../platform/schemas.ts';
import {
  changeProductBodySchema,
  createProductBodySchema,
  receiveStockBodySchema,
} from './product-api.ts';
import { type ProductDocument, productPageSchema, productSchema } from './product-response.ts';

const mug = {
  productId: 'prod-mug',
  name: 'Mug',
  description: 'Stoneware, 300 ml.',
  unitPrice: { amount: 850, currency: 'EUR' },
  active: true,
} as const satisfies Partial<ProductDocument>;

const managed: ProductDocument = { ...mug, available: 20, reserved: 3, sold: 2, received: 25 };

const listed: ProductDocument = { ...mug, available: 20 };

/** Products, as the Inventory Service answers for them. */
export const inventoryExamples = {
  tags: [{ name: 'Products', description: 'What is for sale, and what its managers change.' }],
  pathParameters: {
    productId: { description: "The product's id.", example: 'prod-mug' },
  },
  answers: {
    product: example(productSchema, listed),
    productPage: example(productPageSchema, { products: [listed], next: null }),
    newProduct: example(productSchema, {
      ...mug,
      available: 25,
      reserved: 0,
      sold: 0,
      received: 25,
    }),
    changedProduct: example(productSchema, {
      ...managed,
      unitPrice: { amount: 900, currency: 'EUR' },
    }),
    restockedProduct: example(productSchema, { ...managed, available: 30, received: 35 }),
  },
  requests: {
    NewProduct: createProductBodySchema,
    ProductChange: changeProductBodySchema,
    StockReceipt: receiveStockBodySchema,
  },
  responses: {
    Product: productSchema,
    ProductPage: productPageSchema,
    Money: moneySchema,
  },
} as const satisfies ServiceExamples;

export type InventoryAnswers = Answers<keyof typeof inventoryExamples.answers>;
