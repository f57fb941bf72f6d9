import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../lib/platform/clock.ts';
import { SERVER_OPTIONS } from '../server-options.ts';
import { SEED_PRODUCTS } from '../stack/seed-products.ts';
import { FAULT_MODES } from './faults/fault-modes.ts';
import type { Target } from './faults/forward.ts';
import { InventoryFaults } from './faults/inventory-faults.ts';
import { INVENTORY_PROXY_PATH, InventoryProxy } from './faults/inventory-proxy.ts';
import { createFaultRoutes } from './faults/routes.ts';
import { Acknowledgements, type Webhook } from './gateway/acknowledgements.ts';
import { chargeJournal } from './gateway/charge-journal.ts';
import { PAYMENT_METHODS } from './gateway/payment-methods.ts';
import { createGatewayRoutes, createLedger } from './gateway/routes.ts';
import type { Route } from './http.ts';
import { ok, refuse, serve } from './http.ts';
import { createIssuerRoutes, createSigningKey, mintToken } from './issuer.ts';
import { ownHostCheck } from './own-hosts.ts';
import { type StartPage, startPage } from './start-page.ts';

export interface CompanionOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  /** The `iss` claim of its tokens; by default the companion's own `/issuer`. */
  readonly issuer?: string;
  /** The `aud` claim of its tokens. */
  readonly audience: string;
  /** URL of the public API, for the start page. */
  readonly apiUrl: string;
  /** The real Inventory Service, to which the proxy forwards. */
  readonly inventory: Target;
  /** Receives the acknowledgements of charges. Without it, pending charges stay pending. */
  readonly webhook?: Webhook;
  /** Keeps the charges for a later start. */
  readonly chargesFile?: string;
  /** Path of the stack's log file, for the start page. */
  readonly logFile?: string;
  /** Environment that the operator's tools need to reach the stack. It never holds a credential of the user's. */
  readonly stackEnvironment?: () => Readonly<Record<string, string | undefined>>;
}

export interface Companion {
  readonly url: string;
  readonly port: number;
  /** URL that the Order Service calls for the Inventory Service, so that faults can hit its calls. */
  readonly inventoryProxyUrl: string;
  /** Closes every connection, answered or not. A repeated call is harmless. */
  stop(): Promise<void>;
  /** Signs a token for the subject, valid for one day. */
  mintToken(subject: string, scope?: string): Promise<string>;
}

/**
 * Starts the companion of a local stack, which is never deployed. It serves the payment gateway simulator, the
 * development token issuer, and the proxy that makes calls of Inventory fail. It keeps everything in memory,
 * except the charges if there is a file for them.
 * @throws the server's own error (such as `EADDRINUSE`) if it cannot listen.
 */
export async function startCompanion(options: CompanionOptions): Promise<Companion> {
  const key = await createSigningKey();
  const server = createServer(SERVER_OPTIONS);
  server.listen(options.port, options.host);
  await once(server, 'listening');

  const { port } = server.address() as AddressInfo;
  const url = urlOf(options.host, port);
  const issuer = {
    issuer: options.issuer ?? `${url}/issuer`,
    audience: options.audience,
    jwksUrl: `${url}/issuer/jwks.json`,
    key,
    clock: options.clock,
  };
  // Nothing was awaited since the server began to listen, so no request can have come before its listener.
  const acknowledgements =
    options.webhook === undefined
      ? undefined
      : new Acknowledgements(options.clock, options.webhook);
  const { stackEnvironment } = options;
  const faults = new InventoryFaults(options.clock);
  const proxy = new InventoryProxy(options.inventory, faults);
  const { chargesFile } = options;
  const journal = chargesFile === undefined ? undefined : chargeJournal(chargesFile);
  const serveRoutes = serve(
    withIndex(
      [
        ...createGatewayRoutes(createLedger(acknowledgements, { journal })),
        ...createIssuerRoutes(issuer),
        ...createFaultRoutes(faults),
        ...(stackEnvironment === undefined ? [] : [stackRoute(stackEnvironment)]),
      ],
      {
        apiUrl: options.apiUrl,
        companionUrl: url,
        places: () => placesOf(options),
      },
    ),
  );
  // Behind a tunnel, or for functions in containers, the tokens' issuer names the companion.
  const findWrongHost = ownHostCheck({ host: options.host, port, urls: [issuer.issuer] });
  server.on('request', (request, response) => {
    const wrongHost = findWrongHost(request);
    if (wrongHost !== undefined) refuse(request, response, wrongHost);
    else if (proxy.isFor(request)) void proxy.handle(request, response);
    else serveRoutes(request, response);
  });

  let stopped: Promise<void> | undefined;
  return {
    url,
    port,
    inventoryProxyUrl: url + INVENTORY_PROXY_PATH,
    stop: () => (stopped ??= stop(server, proxy, acknowledgements)),
    mintToken: (subject, scope) => mintToken(issuer, subject, scope),
  };
}

function urlOf(host: string, port: number): string {
  const isAnyAddress = host === '0.0.0.0' || host === '::';
  const reachable = isAnyAddress ? 'localhost' : host;
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${String(port)}`;
}

/** The answer opens nothing but this stack, and anybody here can get any token of the stack anyway. */
function stackRoute(environment: () => Readonly<Record<string, string | undefined>>): Route {
  return {
    method: 'GET',
    path: '/stack',
    summary: 'where the stack beside it is, for npm run dlq and npm run doctor',
    handle: () => ok({ environment: environment() }),
  };
}

/** `/`: a page for a browser, the same content as JSON for any other client. */
function withIndex(
  routes: readonly Route[],
  surroundings: Pick<StartPage, 'apiUrl' | 'companionUrl'> & {
    readonly places: () => Readonly<Record<string, string>>;
  },
): readonly Route[] {
  const index: Route = {
    method: 'GET',
    path: '/',
    summary: 'this index; for a browser a start page',
    handle: ({ headers }) => {
      const content = {
        calls: {
          ...Object.fromEntries(
            [index, ...routes].map(({ method, path, summary }) => [`${method} ${path}`, summary]),
          ),
          [`* ${INVENTORY_PROXY_PATH}/…`]: 'forwards to Inventory, unless a fault strikes',
        },
        paymentMethodTokens: summaries(PAYMENT_METHODS),
        faultModes: summaries(Object.entries(FAULT_MODES)),
      };
      if (headers.accept?.includes('text/html') !== true) {
        return ok({ name: 'ordersaga companion', ...content });
      }
      const places = surroundings.places();
      const html = startPage({ ...surroundings, ...content, places, products: SEED_PRODUCTS });
      return { kind: 'page', html };
    },
  };
  return [index, ...routes];
}

/** Variables that tell the AWS SDK the services' endpoints. */
const ENDPOINTS = {
  AWS_ENDPOINT_URL: 'AWS',
  AWS_ENDPOINT_URL_DYNAMODB: 'DynamoDB',
  AWS_ENDPOINT_URL_SQS: 'SQS',
  AWS_ENDPOINT_URL_SFN: 'Step Functions',
};

function placesOf({ stackEnvironment, logFile }: CompanionOptions): Record<string, string> {
  const environment = stackEnvironment?.() ?? {};
  const endpoints = Object.entries(ENDPOINTS).flatMap(([variable, service]) => {
    const url = environment[variable];
    return url === undefined ? [] : [[service, url] as const];
  });
  return {
    ...Object.fromEntries(endpoints),
    ...(logFile === undefined ? {} : { Log: logFile }),
  };
}

function summaries(
  named: Iterable<readonly [name: string, what: { readonly summary: string }]>,
): Readonly<Record<string, string>> {
  return Object.fromEntries([...named].map(([name, { summary }]) => [name, summary]));
}

async function stop(
  server: Server,
  proxy: InventoryProxy,
  acknowledgements: Acknowledgements | undefined,
): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  proxy.stop();
  await Promise.all([closed, acknowledgements?.stop()]);
}
