import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { Effect, Interceptor } from '../effects.ts';

/** Carrier of the SDK's requests: an object that sends them, or options for the SDK's own one. */
export type RequestHandler = NonNullable<DynamoDBClientConfig['requestHandler']>;

export type ClientKind = 'database' | 'documents' | 'queues' | 'stateMachines' | 'parameters';

/**
 * Access of this process to AWS. The modules beside this one make the clients from it, each on its
 * first use, so that a function carries only the clients whose modules it imports.
 */
export interface AwsAccess {
  readonly intercept: Interceptor;
  /** Set by a host that answers the requests itself. */
  readonly requestHandler: RequestHandler | undefined;
  /** The clients made so far. */
  readonly clients: Partial<Record<ClientKind, object>>;
}

/** @param requestHandler for a host that answers the requests itself. */
export function createAwsAccess(
  intercept: Interceptor,
  requestHandler?: RequestHandler,
): AwsAccess {
  return { intercept, requestHandler, clients: {} };
}

/** Time limits of every call, in milliseconds. */
export const OVER_THE_NETWORK = {
  connectionTimeout: 1000,
  requestTimeout: 5000,
  throwOnRequestTimeout: true,
};

/**
 * Makes one client per access, on its first use. Endpoint, region and credentials come from the
 * SDK's standard environment variables.
 */
export function perAccess<Client extends object>(
  kind: ClientKind,
  build: (access: AwsAccess) => Client,
): (access: AwsAccess) => Client {
  // Only the client of this kind is ever put there.
  return (access) => (access.clients[kind] ??= build(access)) as Client;
}

/** The part of an SDK client that is needed here; the clients' own types differ in their commands. */
interface SdkClient {
  readonly config: Record<'signer' | 'defaultUserAgentProvider', Provider>;
  readonly middlewareStack: {
    remove(name: string): boolean;
    add(
      middleware: (
        next: (args: { input: object }) => Promise<{ response: unknown; output: object }>,
        context: { commandName?: string },
      ) => (args: { input: object }) => Promise<{ response: unknown; output: object }>,
      options: { step: 'initialize'; name: string; priority: 'high' },
    ): void;
  };
}

type Provider = (...about: unknown[]) => Promise<unknown>;

/**
 * Leaves out what the SDK does for each call in vain: the lines of its log, which nobody reads, a new signer, and the
 * name of the program. A signer asks for the credentials at each signature.
 */
function withoutVainWork({ config, middlewareStack }: SdkClient): void {
  middlewareStack.remove('loggerMiddleware');
  for (const name of ['signer', 'defaultUserAgentProvider'] as const) {
    config[name] = onceMade(config[name].bind(config));
  }
}

/** The first result that the provider gives; after a failure it is asked again. */
function onceMade(provide: Provider): Provider {
  let made: Promise<unknown> | undefined;
  return (...about) =>
    (made ??= provide(...about).catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}

/**
 * Makes every call of the client pass the interceptor exactly once, outside the SDK's own retries.
 * @returns the client.
 */
export function intercepted<Client extends object>(
  client: Client,
  kind: Effect['kind'],
  { intercept }: AwsAccess,
): Client {
  const sdkClient = client as unknown as SdkClient;
  withoutVainWork(sdkClient);
  sdkClient.middlewareStack.add(
    (next, context) => (args) =>
      intercept(
        {
          kind,
          operation: (context.commandName ?? 'Unknown').replace(/Command$/, ''),
          target: targetOf(args.input),
        },
        () => next(args),
      ),
    { step: 'initialize', name: 'ordersagaEffects', priority: 'high' },
  );
  return client;
}

const TARGETS = ['TableName', 'QueueUrl', 'stateMachineArn', 'executionArn', 'Name'] as const;

/** Finds the table, queue, machine or parameter that a request names; of several items, that of the first. */
function targetOf(input: object): string {
  const { RequestItems: batch, TransactItems: transaction } = input as {
    readonly RequestItems?: object;
    /** Each item wraps one request: `{ Put: { TableName, … } }`. */
    readonly TransactItems?: readonly Readonly<Record<string, object>>[];
  };
  if (batch !== undefined) return Object.keys(batch)[0] ?? '';
  const request = transaction === undefined ? input : Object.values(transaction[0] ?? {})[0];
  for (const key of TARGETS) {
    const value = (request as Readonly<Record<string, unknown>> | undefined)?.[key];
    if (typeof value === 'string') return value;
  }
  return '';
}
