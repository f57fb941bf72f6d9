import { Tracer } from '@aws-lambda-powertools/tracer';

let instance: Tracer | undefined;

/**
 * X-Ray: a subsegment for each handler, each `fetch` (to Inventory, to the payment gateway) and each
 * call of an SDK client that was made known to it, and the trace's header on each of them, so that
 * the trace goes on behind it. Switches itself off outside Lambda.
 */
export function tracer(): Tracer {
  instance ??= new Tracer({ serviceName: 'ordersaga', captureHTTPsRequests: true });
  return instance;
}
