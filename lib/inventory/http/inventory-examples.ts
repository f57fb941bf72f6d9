import type { Answers } from '../../platform/http/endpoint.ts';
import { example, type ServiceExamples } from '../../platform/http/examples.ts';
import { moneySchema } from '../../platform/schemas.ts';
import {
  changeProductBodySchema,
  createProductBodySchema,
  receiveStockBodySchema,
} from './product-api.ts';
import { type ProductDocument, productPageSchema, productSchema } from './product-response.ts';
import { confirmBodySchema, extendBodySchema, reserveBodySchema } from './reservation-api.ts';
import { type ReservationDocument, reservationSchema } from './reservation-response.ts';

const mug = {
  productId: 'prod-mug',
  name: 'Mug',
  description: 'Stoneware, 300 ml.',
  unitPrice: { amount: 850, currency: 'EUR' },
  active: true,
} as const satisfies Partial<ProductDocument>;

const managed: ProductDocument = { ...mug, available: 20, reserved: 3, sold: 2, received: 25 };

const orderId = 'ord_5f0c2d9ab8f34e61a7d2c49e01';

const held: ReservationDocument = {
  orderId,
  status: 'HELD',
  revision: 1,
  items: [{ productId: 'prod-mug', quantity: 2, unitPrice: mug.unitPrice }],
  expiresAt: '2026-11-21T09:15:01.000Z',
  paymentId: null,
};

const listed: ProductDocument = { ...mug, available: 20 };

/** Products and reservations, as the Inventory Service answers for them. */
export const inventoryExamples = {
  tags: [
    { name: 'Products', description: 'What is for sale, and what its managers change.' },
    { name: 'Reservations', description: 'Between the Order Service and the Inventory Service.' },
  ],
  pathParameters: {
    productId: { description: "The product's id.", example: 'prod-mug' },
    orderId: { description: 'The order that stock is held for.', example: orderId },
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
    heldReservation: example(reservationSchema, held),
    extendedReservation: example(reservationSchema, {
      ...held,
      expiresAt: '2026-11-21T09:30:00.000Z',
    }),
    releasedReservation: example(reservationSchema, {
      ...held,
      status: 'RELEASED',
      items: [],
      expiresAt: null,
    }),
    confirmedReservation: example(reservationSchema, {
      ...held,
      status: 'CONFIRMED',
      expiresAt: null,
      paymentId: 'pay_91b7e0d3c25a4f868e1f7a6b30',
    }),
  },
  requests: {
    NewProduct: createProductBodySchema,
    ProductChange: changeProductBodySchema,
    StockReceipt: receiveStockBodySchema,
    Reserve: reserveBodySchema,
    Extend: extendBodySchema,
    Confirm: confirmBodySchema,
  },
  responses: {
    Product: productSchema,
    ProductPage: productPageSchema,
    Reservation: reservationSchema,
    Money: moneySchema,
  },
} as const satisfies ServiceExamples;

export type InventoryAnswers = Answers<keyof typeof inventoryExamples.answers>;
