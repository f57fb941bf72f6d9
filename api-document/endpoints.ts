import { handler as health } from '../functions/health.ts';
import { handler as changeProduct } from '../functions/inventory/change-product.ts';
import { handler as createProduct } from '../functions/inventory/create-product.ts';
import { handler as getProduct } from '../functions/inventory/get-product.ts';
import { handler as listProducts } from '../functions/inventory/list-products.ts';
import { handler as receiveStock } from '../functions/inventory/receive-stock.ts';
import { handler as cancelOrder } from '../functions/orders/cancel-order.ts';
import { handler as getOrder } from '../functions/orders/get-order.ts';
import { handler as listOrders } from '../functions/orders/list-orders.ts';
import { handler as modifyOrder } from '../functions/orders/modify-order.ts';
import { handler as placeOrder } from '../functions/orders/place-order.ts';
import { handler as retryOrder } from '../functions/orders/retry-order.ts';
import { handler as getPayment } from '../functions/payments/get-payment.ts';
import { handler as receiveAcknowledgement } from '../functions/payments/receive-acknowledgement.ts';
import { handler as retryPayment } from '../functions/payments/retry-payment.ts';
import { handler as startPayment } from '../functions/payments/start-payment.ts';
import type { Endpoint, EndpointDocument } from '../lib/platform/http/endpoint.ts';
import { docsEndpoint, openapiEndpoint } from './own-endpoints.ts';

export interface DocumentedEndpoint extends Endpoint {
  readonly document: EndpointDocument;
}

/** Declarations of all routes of the public API, by their function's key in infrastructure/functions.yml, in the document's order. */
export const ENDPOINTS: ReadonlyMap<string, DocumentedEndpoint> = new Map(
  Object.entries({
    placeOrder,
    listOrders,
    getOrder,
    modifyOrder,
    cancelOrder,
    retryOrder,
    startPayment,
    retryPayment,
    getPayment,
    receiveAcknowledgement,
    listProducts,
    getProduct,
    createProduct,
    changeProduct,
    receiveStock,
    health,
    openapi: { endpoint: openapiEndpoint },
    docs: { endpoint: docsEndpoint },
  }).map(([id, { endpoint }]) => [id, documented(id, endpoint)]),
);

/** @throws if a function leaves out what the document says about it. */
function documented(id: string, endpoint: Endpoint): DocumentedEndpoint {
  const { document } = endpoint;
  if (document === undefined) throw new Error(`The declaration of ${id} has no document.`);
  return { ...endpoint, document };
}
