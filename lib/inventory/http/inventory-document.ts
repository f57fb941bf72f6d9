import {
  answer,
  type Operation,
  request,
  type ServiceDocument,
} from '../../platform/http/operation-document.ts';
import { moneySchema } from '../../platform/schemas.ts';
import { type ProductDocument, productPageSchema, productSchema } from './product-document.ts';
import {
  changeProductBodySchema,
  createProductBodySchema,
  listProductsQuerySchema,
  MANAGE_PRODUCTS,
  receiveStockBodySchema,
} from './product-schemas.ts';
import { type ReservationDocument, reservationSchema } from './reservation-response.ts';
import {
  confirmBodySchema,
  extendBodySchema,
  releaseQuerySchema,
  reserveBodySchema,
} from './reservation-schemas.ts';

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

const ofProduct = { productId: { description: "The product's id.", example: 'prod-mug' } };
const ofOrder = { orderId: { description: 'The order that stock is held for.', example: orderId } };

const BY_THE_ORDER_SERVICE =
  ' Called by the Order Service with its own credential, never by users.';

const operations: Readonly<Record<string, Operation>> = {
  'GET /product': {
    id: 'listProducts',
    tag: 'Products',
    summary: 'List the products',
    description:
      'By id, a page at a time. With the scope `products:write` it shows all counters of the stock.',
    access: 'user',
    query: request(listProductsQuerySchema, { limit: '10' }),
    answers: {
      200: answer('One page.', productPageSchema, {
        products: [{ ...mug, available: 20 }],
        next: null,
      }),
    },
  },
  'GET /product/{productId}': {
    id: 'getProduct',
    tag: 'Products',
    summary: 'Look at a product',
    description:
      'With the scope `products:write` it shows all counters of the stock. The Order Service asks ' +
      'here for prices, with its own credential.',
    access: 'user-or-service',
    headers: ['If-None-Match'],
    path: ofProduct,
    answers: { 200: answer('The product.', productSchema, { ...mug, available: 20 }, ['ETag']) },
    problems: ['NOT_FOUND'],
  },
  'POST /product': {
    id: 'createProduct',
    tag: 'Products',
    summary: 'Create a product',
    description: 'With its first stock. A product without an id is given one.',
    access: 'user',
    scope: MANAGE_PRODUCTS,
    idempotent: true,
    body: request(createProductBodySchema, { ...mug, stock: 25 }),
    answers: {
      201: answer(
        'The product is there.',
        productSchema,
        { ...mug, available: 25, reserved: 0, sold: 0, received: 25 },
        ['Location', 'ETag'],
      ),
    },
    problems: ['PRODUCT_EXISTS', 'LOCK_CONTENTION'],
  },
  'PUT /product/{productId}': {
    id: 'changeProduct',
    tag: 'Products',
    summary: 'Change a product',
    description:
      'Changes the fields it is given. `active: false` takes it off sale: what is reserved or sold ' +
      'already keeps its stock and its price.',
    access: 'user',
    scope: MANAGE_PRODUCTS,
    idempotent: true,
    headers: ['If-Match'],
    path: ofProduct,
    body: request(changeProductBodySchema, { unitPrice: { amount: 900, currency: 'EUR' } }),
    answers: {
      200: answer(
        'The product as it now is.',
        productSchema,
        { ...managed, unitPrice: { amount: 900, currency: 'EUR' } },
        ['ETag'],
      ),
    },
    problems: ['NOT_FOUND', 'PRECONDITION_FAILED', 'LOCK_CONTENTION'],
  },
  'POST /product/{productId}/stock': {
    id: 'receiveStock',
    tag: 'Products',
    summary: 'Receive stock',
    description: 'Adds pieces that arrived. With an `Idempotency-Key`, a receipt counts once.',
    access: 'user',
    scope: MANAGE_PRODUCTS,
    idempotent: true,
    path: ofProduct,
    body: request(receiveStockBodySchema, { quantity: 10 }),
    answers: {
      200: answer(
        'The product as it now is.',
        productSchema,
        { ...managed, available: 30, received: 35 },
        ['ETag'],
      ),
    },
    problems: ['NOT_FOUND', 'LOCK_CONTENTION'],
  },
  'PUT /inventory/reservation/{orderId}': {
    id: 'reserveProducts',
    tag: 'Reservations',
    summary: 'Reserve products',
    description:
      'All or nothing. A higher revision adjusts the difference, the same one answers the present ' +
      `state, a lower one is refused.${BY_THE_ORDER_SERVICE}`,
    access: 'service',
    path: ofOrder,
    body: request(reserveBodySchema, {
      revision: 1,
      items: [{ productId: 'prod-mug', quantity: 2 }],
    }),
    answers: { 200: answer('What is reserved.', reservationSchema, held) },
    problems: [
      'OUT_OF_STOCK',
      'UNKNOWN_PRODUCT',
      'PRODUCT_UNAVAILABLE',
      'MIXED_CURRENCIES',
      'STALE_REVISION',
      'RESERVATION_GONE',
      'LOCK_CONTENTION',
    ],
  },
  'GET /inventory/reservation/{orderId}': {
    id: 'getReservation',
    tag: 'Reservations',
    summary: 'Look at a reservation',
    description: `What is stored now.${BY_THE_ORDER_SERVICE}`,
    access: 'service',
    path: ofOrder,
    answers: { 200: answer('The reservation.', reservationSchema, held) },
    problems: ['NOT_FOUND'],
  },
  'DELETE /inventory/reservation/{orderId}': {
    id: 'releaseReservation',
    tag: 'Reservations',
    summary: 'Release a reservation',
    description:
      'Gives the stock back unless a newer revision holds it, and leaves a mark that no late ' +
      `reserve can pass.${BY_THE_ORDER_SERVICE}`,
    access: 'service',
    path: ofOrder,
    query: request(releaseQuerySchema, { revision: 1 }),
    answers: {
      200: answer('What is stored now.', reservationSchema, {
        ...held,
        status: 'RELEASED',
        items: [],
        expiresAt: null,
      }),
    },
    problems: ['LOCK_CONTENTION'],
  },
  'POST /inventory/reservation/{orderId}/extend': {
    id: 'extendReservation',
    tag: 'Reservations',
    summary: 'Hold a reservation for longer',
    description: `At least until the given time; never shorter.${BY_THE_ORDER_SERVICE}`,
    access: 'service',
    path: ofOrder,
    body: request(extendBodySchema, { revision: 1, until: '2026-11-21T09:30:00.000Z' }),
    answers: {
      200: answer('The reservation.', reservationSchema, {
        ...held,
        expiresAt: '2026-11-21T09:30:00.000Z',
      }),
    },
    problems: ['RESERVATION_GONE', 'LOCK_CONTENTION'],
  },
  'POST /inventory/reservation/{orderId}/confirm': {
    id: 'confirmReservation',
    tag: 'Reservations',
    summary: 'Turn reserved into sold',
    description: `For one payment; repeating it changes nothing.${BY_THE_ORDER_SERVICE}`,
    access: 'service',
    path: ofOrder,
    body: request(confirmBodySchema, { revision: 1, paymentId: 'pay_91b7e0d3c25a4f868e1f7a6b30' }),
    answers: {
      200: answer('What is sold.', reservationSchema, {
        ...held,
        status: 'CONFIRMED',
        expiresAt: null,
        paymentId: 'pay_91b7e0d3c25a4f868e1f7a6b30',
      }),
    },
    problems: ['RESERVATION_GONE', 'LOCK_CONTENTION'],
  },
};

/** Products and reservations, as the Inventory Service answers for them. */
export const inventoryServiceDocument: ServiceDocument = {
  operations,
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
};
