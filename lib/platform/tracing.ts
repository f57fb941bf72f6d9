import { Tracer } from '@aws-lambda-powertools/tracer';

let instance: Tracer | undefined;

/** X-Ray; switches itself off outside Lambda. */
export function tracer(): Tracer {
  instance ??= new Tracer({ serviceName: 'ordersaga', captureHTTPsRequests: true });
  return instance;
}
