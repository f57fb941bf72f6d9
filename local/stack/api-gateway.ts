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
    start(): Promise<void>;
    stop(options: { timeout: number }): Promise<void>;
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
  await listener.start();
  return { port: listener.info.port, stop: () => listener.stop({ timeout: 2000 }) };
}

async function importOfflineHttpServer(): Promise<OfflineHttpServerClass> {
  const url = new URL('./events/http/HttpServer.js', import.meta.resolve('serverless-offline'));
  const module = (await import(url.href)) as { readonly default: OfflineHttpServerClass };
  return module.default;
}

/** One request's invocation; a failure becomes what API Gateway answers for it. */
function offlineFunction(lambda: LambdaRuntime, functionKey: string): OfflineFunction {
  let event: unknown;
  return {
    setEvent: (value) => {
      event = value;
    },
    runHandler: async () => {
      try {
        return await lambda.invoke(functionKey, event);
      } catch (error) {
        return error instanceof Error && error.name === 'Sandbox.Timedout'
          ? failure(504, 'Endpoint request timed out')
          : failure(502, 'Internal server error');
      }
    },
  };
}

function failure(statusCode: number, message: string): object {
  return {
    statusCode,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message }),
  };
}
