import { getProduct } from '../../lib/inventory/get-product.ts';
import { toProductDocument } from '../../lib/inventory/http/product-api.ts';
import {
  confirmBody,
  extendBody,
  forOrderService,
  releaseQuery,
  reserveBody,
  toReservationDocument,
} from '../../lib/inventory/http/reservation-api.ts';
import { inventoryService } from '../../lib/inventory/inventory-service.ts';
import type { Reservation } from '../../lib/inventory/reservation.ts';
import {
  confirmReservation,
  extendReservation,
  getReservation,
  releaseReservation,
  reserveProducts,
} from '../../lib/inventory/reservation-lifecycle.ts';
import { NotFound } from '../../lib/platform/errors.ts';
import { apiHandler } from '../../lib/platform/http/api-handler.ts';
import { functionUrlHandler } from '../../lib/platform/http/function-url.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const inventory = perRuntime(inventoryService);
const access = forOrderService;

function answer(reservation: Reservation) {
  return { status: 200, body: toReservationDocument(reservation, inventory().clock.now()) };
}

const reserve = apiHandler(
  { route: 'PUT /inventory/reservation/{orderId}', access, body: reserveBody },
  async ({ path, body: { items: lines, ...body }, correlationId }) => {
    const request = { orderId: path.orderId, correlationId, lines, ...body };
    return answer(await reserveProducts(inventory(), request));
  },
);

const find = apiHandler(
  { route: 'GET /inventory/reservation/{orderId}', access },
  async ({ path }) => {
    return answer(await getReservation(inventory(), path.orderId));
  },
);

const release = apiHandler(
  { route: 'DELETE /inventory/reservation/{orderId}', access, query: releaseQuery },
  async ({ path, query: { revision } }) => {
    return answer(await releaseReservation(inventory(), path.orderId, revision));
  },
);

const extend = apiHandler(
  { route: 'POST /inventory/reservation/{orderId}/extend', access, body: extendBody },
  async ({ path, body }) => {
    const request = { orderId: path.orderId, ...body };
    return answer(await extendReservation(inventory(), request));
  },
);

const confirm = apiHandler(
  { route: 'POST /inventory/reservation/{orderId}/confirm', access, body: confirmBody },
  async ({ path, body }) => {
    const request = { orderId: path.orderId, ...body };
    return answer(await confirmReservation(inventory(), request));
  },
);

const price = apiHandler(
  { route: 'GET /inventory/product/{productId}', access },
  async ({ path }) => {
    const product = await getProduct(inventory(), path.productId);
    return { status: 200, body: toProductDocument(product, false) };
  },
);

const unknown = apiHandler({ route: 'ANY /{proxy+}', access }, () =>
  Promise.reject(new NotFound('Inventory has no such call; see docs/architecture.md.')),
);

/** The Inventory Service's calls for the Order Service, at a function URL (docs/adr/0013). */
export const handler = functionUrlHandler(
  [reserve, find, release, extend, confirm, price],
  unknown,
);
