import { randomUUID } from 'node:crypto';
import type { LambdaRuntime } from './lambda-runtime.ts';
import type { ServiceDefinition } from './service-definition.ts';
import { eventsOf } from './service-definition.ts';

export interface ApiGateway {
  readonly port: number;
  stop(): Promise<void>;
}

export interface ApiGatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly directory: string;
  readonly service: ServiceDefinition;
  readonly lambda: LambdaRuntime;
}

/** The parts of serverless-offline's HTTP server that are used here; it ships no types. */
interface OfflineHttpServer {
  createServer(): Promise<void>;
  createRoutes(functionKey: string, event: object, handler: string): void;
  create404Route(): void;
  getServer(): {
    readonly info: { readonly port: number };
    ext(point: 'onPreResponse', method: (request: HapiRequest, h: HapiToolkit) => unknown): void;
    start(): Promise<void>;
    stop(options: { timeout: number }): Promise<void>;
  };
}

interface HapiRequest {
  readonly path: string;
  readonly response: {
    readonly isBoom?: true;
    readonly message?: string;
    readonly output?: { readonly statusCode: number };
  };
}

interface HapiToolkit {
  readonly continue: symbol;
  response(body: string): {
    code(status: number): { type(type: string): { header(name: string, value: string): unknown } };
  };
}

type OfflineHttpServerClass = new (
  serverless: object,
  options: object,
  lambda: { get(functionKey: string): OfflineFunction },
) => OfflineHttpServer;

interface OfflineFunction {
  setEvent(event: unknown): void;
  runHandler(): Promise<unknown>;
}

/**
 * Serves the `http` events with serverless-offline's emulation of API Gateway, over this process's
 * own Lambda runtime. Its HTTP server is used without the plugin around it: the plugin would open
 * a second port, end the process when one is taken, write into `process.env` at every invocation,
 * and an invocation in it could neither die nor be timed by the stack's clock.
 */
export async function startApiGateway(options: ApiGatewayOptions): Promise<ApiGateway> {
  const { host, port, directory, service, lambda } = options;
  const { stage } = service.provider;
  const Server = await importOfflineHttpServer();
  const server = new Server(
    {
      service: { provider: service.provider, custom: {}, functions: service.functions },
      config: { servicePath: directory },
      serviceDir: directory,
    },
    {
      host,
      httpPort: port,
      stage,
      prefix: '',
      noPrependStageInUrl: true,
      disableCookieValidation: true,
    },
    { get: (functionKey) => offlineFunction(lambda, functionKey) },
  );
  await server.createServer();
  for (const { key, event } of eventsOf(service, 'http')) {
    server.createRoutes(key, event, service.functions[key]?.handler ?? '');
  }
  server.create404Route();
  const listener = server.getServer();
  listener.ext('onPreResponse', ({ path, response }, h) => {
    if (response.isBoom !== true) return h.continue;
    // What the server itself refuses, before any function sees it, is a problem like all others.
    const status = response.output?.statusCode ?? 500;
    const { headers, body } = failure(status, response.message ?? 'Bad request', path);
    return h
      .response(body)
      .code(status)
      .type(headers['content-type'])
      .header('x-correlation-id', headers['x-correlation-id']);
  });
  await listener.start();
  return { port: listener.info.port, stop: () => listener.stop({ timeout: 2000 }) };
}

async function importOfflineHttpServer(): Promise<OfflineHttpServerClass> {
  const url = new URL('./events/http/HttpServer.js', import.meta.resolve('serverless-offline'));
  const module = (await import(url.href)) as { readonly default: OfflineHttpServerClass };
  return module.default;
}

/** One request's invocation. */
function offlineFunction(lambda: LambdaRuntime, functionKey: string): OfflineFunction {
  let event: unknown;
  return {
    setEvent: (value) => {
      event = withTextBody(value);
    },
    runHandler: async () => {
      try {
        return await lambda.invoke(functionKey, event);
      } catch (error) {
        return failedInvocation(error);
      }
    },
  };
}

/**
 * The event with its body as text, as API Gateway sends it. serverless-offline parses every body,
 * and puts the text back for all values but those that JavaScript takes for false.
 */
function withTextBody(event: unknown): unknown {
  const { body } = event as { readonly body?: unknown };
  return body === false || body === 0
    ? { ...(event as object), body: JSON.stringify(body) }
    : event;
}

/** What API Gateway answers for an invocation that failed. */
export function failedInvocation(error: unknown) {
  return error instanceof Error && error.name === 'Sandbox.Timedout'
    ? failure(504, 'Endpoint request timed out')
    : failure(502, 'Internal server error');
}

/** An answer of the gateway's own, in the form of all others (RFC 9457). */
function failure(statusCode: number, title: string, instance = '') {
  return {
    statusCode,
    headers: { 'content-type': 'application/problem+json', 'x-correlation-id': randomUUID() },
    body: JSON.stringify({
      type: 'about:blank',
      title,
      status: statusCode,
      detail:
        statusCode >= 500
          ? 'Send the same request with the same Idempotency-Key again; nothing is done twice.'
          : 'Correct the request; see /docs.',
      instance,
      code: statusCode >= 500 ? 'INTERNAL_ERROR' : 'BAD_REQUEST',
    }),
  };
}
