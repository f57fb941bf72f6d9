import type { APIGatewayProxyEvent } from 'aws-lambda';
import { type HttpServer, startHttpServer } from './http-server.ts';
import { RestApi } from './rest-api.ts';
import type { ServiceDefinition } from './service-definition.ts';

export interface ApiGatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly service: ServiceDefinition;
  /** Invokes a function by its key; rejects if the invocation fails. */
  readonly invoke: (functionKey: string, event: APIGatewayProxyEvent) => Promise<unknown>;
}

/** API Gateway's limit. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/**
 * Serves the `http` events over HTTP exactly as the packaged API does, with no additional header, method or
 * status.
 */
export function startApiGateway(options: ApiGatewayOptions): Promise<HttpServer> {
  const { host, port, service, invoke } = options;
  const api = new RestApi(service, invoke);
  return startHttpServer({
    host,
    port,
    maxBodyBytes: MAX_BODY_BYTES,
    respond: (request) => api.respond(request),
  });
}
