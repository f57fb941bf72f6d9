import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type EmbeddedStack, startEmbeddedStack } from '../local/stack/embedded-stack.ts';
import type { LoadedOrder, LoadPlan } from './load/clients.ts';
import { type PartShare, startCpuProfile } from './load/cpu-profile.ts';
import { recordStoreRequests, replay, type StoreRequest } from './load/store-replay.ts';

const USAGE = `Usage: npm run bench:load -- [--clients N[,N…]] [--seconds S] [--products P] [--store memory|dynamodb-local] [--profile]

Runs the embedded stack under load: each client places an order, pays it with tok_ok, and begins anew. Prints
orders a second, durations, the share of orders whose calls were answered with their outcome, CPU time of this
process per order, and the share of the rate that the store alone sustains for the same requests.

  --clients N    clients at the same time; 32 by default. Several numbers are measured one after the other,
                 and their rates are compared
  --seconds S    no order begins later; 12 by default
  --products P   products that the orders are spread over; 20 by default
  --store S      dynamodb-local by default
  --profile      also print the share of each package, folder and Node.js module in it; sampling costs time`;

const STORES = ['memory', 'dynamodb-local'] as const;
type StoreName = (typeof STORES)[number];

interface Options {
  readonly clients: readonly number[];
  readonly seconds: number;
  readonly products: number;
  readonly store: StoreName;
  readonly profile: boolean;
}

interface Measured {
  readonly clients: number;
  readonly orders: readonly LoadedOrder[];
  readonly seconds: number;
  readonly cpuMs: number;
  readonly requests: readonly StoreRequest[];
  /** Empty without `--profile`. */
  readonly profile: readonly PartShare[];
}

/** Takes the stack to its working speed before anything is measured. */
const WARM_UP_SECONDS = 3;
const STOCK = 100_000;
/** Parts that a profile prints, the busiest first. */
const PROFILED_PARTS = 40;

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '32' },
      seconds: { type: 'string', default: '12' },
      products: { type: 'string', default: '20' },
      store: { type: 'string', default: 'dynamodb-local' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    console.log(USAGE);
    process.exit(0);
  }
  const store = STORES.find((name) => name === values.store);
  if (store === undefined) throw new RangeError(`--store must be one of ${STORES.join(', ')}.`);
  return {
    clients: values.clients.split(',').map((text) => whole('--clients', text, 1000)),
    seconds: whole('--seconds', values.seconds, 600),
    products: whole('--products', values.products, 1000),
    store,
    profile: values.profile,
  };
}

function whole(option: string, text: string, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new RangeError(
    `${option} must be a whole number from 1 to ${String(most)}, not "${text}".`,
  );
}

/** Starts a stack that holds the products of the load. */
async function startShop({ products, store }: Options) {
  const stack = await startEmbeddedStack({
    ports: { api: 0, companion: 0, stepFunctions: 0, queues: 0, dynamodb: 0 },
    store,
  });
  const authorization = `Bearer ${await stack.mintToken('keeper', 'products:write')}`;
  const productIds = Array.from({ length: products }, (_, index) => `load-${String(index)}`);
  for (const productId of productIds) {
    const unitPrice = { amount: 1299, currency: 'EUR' };
    const product = { productId, name: productId, description: '', unitPrice, stock: STOCK };
    const response = await fetch(`${stack.apiUrl}/product`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(product),
    });
    if (!response.ok) throw new Error(await response.text());
  }
  return { stack, productIds };
}

async function load(
  stack: EmbeddedStack,
  clients: number,
  seconds: number,
  productIds: readonly string[],
): Promise<LoadedOrder[]> {
  const names = Array.from({ length: clients }, (_, client) => `client-${String(client)}`);
  const tokens = await Promise.all(names.map((name) => stack.mintToken(name)));
  const child = fork(join(import.meta.dirname, 'load', 'clients.ts'));
  const plan: LoadPlan = { apiUrl: stack.apiUrl, tokens, productIds, seconds };
  child.send(plan);
  const [orders] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('The clients ended without a result.');
    }),
  ])) as [LoadedOrder[]];
  return orders;
}

async function measure(options: Options, clients: number): Promise<Measured> {
  const { stack, productIds } = await startShop(options);
  try {
    await load(stack, clients, WARM_UP_SECONDS, productIds);
    const requests = recordStoreRequests();
    const profiler = options.profile ? await startCpuProfile() : undefined;
    const beganAtMs = performance.now();
    const before = process.cpuUsage();
    const orders = await load(stack, clients, options.seconds, productIds);
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - beganAtMs) / 1000;
    const profile = (await profiler?.stop()) ?? [];
    const cpuMs = (user + system) / 1000;
    return { clients, orders, seconds, cpuMs, requests: [...requests], profile };
  } finally {
    await stack.stop();
  }
}

/** Orders a second of a store that does nothing but answer the requests of these orders. */
async function storeRate(options: Options, { orders, requests, clients }: Measured) {
  const { stack } = await startShop(options);
  try {
    const { seconds, refusedShare } = await replay(stack.endpoints.dynamodb, requests, clients);
    return { rate: orders.length / seconds, refusedShare };
  } finally {
    await stack.stop();
  }
}

function percentile(sorted: readonly number[], share: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return `${(value ?? 0).toFixed(0)} ms`;
}

function rateOf({ orders, seconds }: Measured): number {
  return orders.filter(({ isSettled }) => isSettled).length / seconds;
}

function report(measured: Measured, store: { rate: number; refusedShare: number }): void {
  const { clients, orders, cpuMs, requests, profile } = measured;
  const settled = orders.filter(({ isSettled }) => isSettled);
  const durations = settled.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const answers = Map.groupBy(orders, (order) => order.answers);
  const rate = rateOf(measured);
  console.log(
    [
      `${String(clients)} clients: ${rate.toFixed(1)} orders/s, p50 ${percentile(durations, 0.5)}, ` +
        `p99 ${percentile(durations, 0.99)}, settled ${String(settled.length)} of ${String(orders.length)}`,
      `  CPU of this process per order ${(cpuMs / orders.length).toFixed(1)} ms, ` +
        `DynamoDB requests per order ${(requests.length / orders.length).toFixed(1)}`,
      `  the store alone ${store.rate.toFixed(1)} orders/s (it refused ` +
        `${(100 * store.refusedShare).toFixed(1)} % of the requests), share ${(rate / store.rate).toFixed(2)}`,
      `  answers ${[...answers].map(([answer, all]) => `${answer}: ${String(all.length)}`).join(', ')}`,
      ...profile
        .slice(0, PROFILED_PARTS)
        .map(({ part, share }) => `  ${(100 * share).toFixed(1).padStart(5)} %  ${part}`),
    ].join('\n'),
  );
}

const options = readOptions();
const rates: number[] = [];
for (const clients of options.clients) {
  const measured = await measure(options, clients);
  report(measured, await storeRate(options, measured));
  rates.push(rateOf(measured));
}
const [first = 1, ...others] = rates;
for (const [index, rate] of others.entries()) {
  const [base, clients] = [options.clients[0], options.clients[index + 1]].map(String);
  console.log(`${String(clients)} clients against ${String(base)}: ${(rate / first).toFixed(2)}`);
}
