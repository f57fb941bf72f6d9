import { parseArgs } from 'node:util';
import { ProvisionedThroughputExceededException } from '@aws-sdk/client-dynamodb';
import type { Interceptor } from '../lib/platform/effects.ts';
import { callsPerSecond } from '../local/companion/faults/calls-per-second.ts';
import { type EmbeddedStack, startEmbeddedStack } from '../local/stack/embedded-stack.ts';
import { Throttled } from '../local/stack/lambda-runtime.ts';
import { Customer, newProduct } from './overload/customer.ts';

const USAGE = `Usage: npm run bench:overload -- [NAME…]

One caller, or one throttled service, beside all others, on the embedded stack over HTTP. Prints for each case what
came of the others. Times are of the stack's clock, which is advanced. NAME: only the cases whose names contain it.`;

interface Case {
  readonly name: string;
  /** @returns what came of it, in one line. */
  readonly run: () => Promise<string>;
}

const ORDERS = 132;
const CALLS_A_SECOND = 4;
const ALLOW_DUPLICATE = { 'x-allow-duplicate': 'true' };
/** Lets one user have many orders. */
const MANY_ORDERS = { MAX_OPEN_ORDERS_PER_USER: '40', RESERVATION_TTL_SECONDS: '7200' };

async function withStack<Result>(
  options: Partial<Parameters<typeof startEmbeddedStack>[0]>,
  work: (stack: EmbeddedStack) => Promise<Result>,
): Promise<Result> {
  const ports = { api: 0, companion: 0, stepFunctions: 0, queues: 0, dynamodb: 0 };
  const stack = await startEmbeddedStack({ ports, store: 'memory', ...options });
  try {
    return await work(stack);
  } finally {
    await stack.stop();
  }
}

/** Advances the clock until the check is true. @returns seconds of the stack's clock since `sinceMs`. */
async function untilTrue(
  stack: EmbeddedStack,
  sinceMs: number,
  check: () => Promise<boolean>,
): Promise<number> {
  while (!(await check())) {
    if (stack.clock.now() - sinceMs > 900_000) throw new Error('It has not ended in 15 minutes.');
    await stack.clock.advance(1000);
  }
  return (stack.clock.now() - sinceMs) / 1000;
}

function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(0)} %`;
}

interface Placed {
  readonly user: Customer;
  readonly orderId: string;
}

/** Places the orders within five seconds, 26 to a user. */
async function placeMany(stack: EmbeddedStack, orders: number): Promise<Placed[]> {
  const productId = await newProduct(stack, orders);
  const placed: Placed[] = [];
  let user = await Customer.of(stack);
  for (let order = 0; order < orders; order += 1) {
    if (order % 26 === 25) {
      user = await Customer.of(stack);
      await stack.clock.advance(1000);
    }
    const { orderId } = await user.place(productId, 1, ALLOW_DUPLICATE);
    placed.push({ user, orderId });
  }
  return placed;
}

/** Reserves many orders while something takes only so many calls a second. */
function reserving(limit: (stack: EmbeddedStack) => void | Promise<void>): Promise<string> {
  return withStack({ environment: MANY_ORDERS }, async (stack) => {
    await limit(stack);
    const beganMs = stack.clock.now();
    const placed = await placeMany(stack, ORDERS);
    const statuses = async () => {
      const orders = await Promise.all(placed.map(({ user, orderId }) => user.statusOf(orderId)));
      return Map.groupBy(orders, (status) => status);
    };
    const seconds = await untilTrue(stack, beganMs, async () => {
      const now = await statuses();
      return !now.has('CREATED') && !now.has('PENDING_RESERVING_STOCK');
    });
    const failed = (await statuses()).get('ORDER_FAILED')?.length ?? 0;
    const needed = ORDERS / CALLS_A_SECOND;
    return `${String(ORDERS)} orders decided in ${seconds.toFixed(0)} s, ${(seconds / needed).toFixed(2)} times what the limit needs; failed ${String(failed)}`;
  });
}

/** Lets a call through as often as the limit says, and refuses the others. */
function limited(
  stack: EmbeddedStack,
  on: (effect: Parameters<Interceptor>[0]) => boolean,
  perSecond: number,
  refuse: Interceptor,
): void {
  const callsThisSecond = callsPerSecond(stack.clock);
  stack.setInterceptor((effect, proceed) =>
    !on(effect) || callsThisSecond() <= perSecond ? proceed() : refuse(effect, proceed),
  );
}

const tooManyRequests: Interceptor = <Result>() =>
  Promise.resolve({
    status: 429,
    headers: new Headers({ 'retry-after': '1' }),
    body: undefined,
  } as unknown as Result);

const noCapacity: Interceptor = () =>
  Promise.reject(new ProvisionedThroughputExceededException({ message: 'Busy.', $metadata: {} }));

/** Pays many orders while the gateway takes only so many calls a second. */
function charging(): Promise<string> {
  return withStack({ environment: MANY_ORDERS }, async (stack) => {
    const placed = await placeMany(stack, 36);
    await untilTrue(stack, stack.clock.now(), () => all(placed, 'PENDING_PAYMENT'));
    limited(
      stack,
      ({ kind, target }) => kind === 'http' && target.includes('/gateway/'),
      1,
      tooManyRequests,
    );
    const beganMs = stack.clock.now();
    for (const { user, orderId } of placed) await user.pay(orderId, 'tok_ok');
    const seconds = await untilTrue(stack, beganMs, () => all(placed, 'PAYMENT_DONE'));
    return `${String(placed.length)} payments captured in ${seconds.toFixed(0)} s, ${(seconds / placed.length).toFixed(2)} times what the limit needs`;
  });
}

async function all(placed: readonly Placed[], status: string): Promise<boolean> {
  const now = await Promise.all(placed.map(({ user, orderId }) => user.statusOf(orderId)));
  return now.every((one) => one === status);
}

/** One order, placed while Inventory is away for 39 s. */
function alone(budgetSeconds: number): Promise<string> {
  const environment = {
    INVENTORY_OUTAGE_BUDGET_SECONDS: String(budgetSeconds),
    RETRY_MAX_ATTEMPTS: '3',
  };
  return withStack({ environment }, async (stack) => {
    const productId = await newProduct(stack, 1);
    const user = await Customer.of(stack);
    await setFault(stack, { mode: 'http_503' });
    const beganMs = stack.clock.now();
    const { orderId } = await user.place(productId, 1);
    let isAway = true;
    const seconds = await untilTrue(stack, beganMs, async () => {
      if (isAway && stack.clock.now() - beganMs >= 39_000) {
        await fetch(`${stack.companionUrl}/faults`, { method: 'DELETE' });
        isAway = false;
      }
      return ['PENDING_PAYMENT', 'ORDER_FAILED'].includes(await user.statusOf(orderId));
    });
    return `${await user.statusOf(orderId)} after ${seconds.toFixed(0)} s`;
  });
}

async function setFault(stack: EmbeddedStack, fault: object): Promise<void> {
  const url = `${stack.companionUrl}/faults/inventory`;
  const response = await fetch(url, { method: 'PUT', body: JSON.stringify(fault) });
  if (!response.ok) throw new Error(await response.text());
}

/** One user holds ten waiting payments; others place orders and read. In real time, as the pool is about. */
function starving(
  concurrency: number,
  reserved: Readonly<Record<string, string>>,
  maxWait: string,
) {
  return withStack(
    { concurrency, templateVariables: reserved, environment: { MAX_WAIT_SECONDS: maxWait } },
    async (stack) => {
      const greedy = await Customer.of(stack);
      const shoppers = await Promise.all(Array.from({ length: 3 }, () => Customer.of(stack)));
      const productId = await newProduct(stack, 1000);
      const placed: Placed[] = [];
      for (let order = 0; order < 10; order += 1) {
        const { orderId } = await greedy.place(productId, 1, ALLOW_DUPLICATE);
        placed.push({ user: greedy, orderId });
      }
      while (!(await all(placed, 'PENDING_PAYMENT')));
      const waiting = placed.map(({ orderId }) =>
        greedy.pay(orderId, 'tok_never_captured', { prefer: 'wait=10' }),
      );
      const others = await Promise.all(shoppers.map((user) => shopping(user, productId)));
      const statuses = others.flatMap((one) => one.statuses);
      const orders = others.flatMap((one) => one.placed);
      const answered = statuses.filter((status) => status < 500).length;
      await Promise.all(waiting);
      while (!(await all(orders, 'PENDING_PAYMENT')));
      return `${share(answered, statuses.length)} of ${String(statuses.length)} calls of others answered, ${String(orders.length)} accepted orders all reserved`;
    },
  );
}

async function shopping(user: Customer, productId: string) {
  const statuses: number[] = [];
  const placed: Placed[] = [];
  for (let turn = 1; turn <= 8; turn += 1) {
    const { status, orderId } = await user.place(productId, turn);
    statuses.push(status);
    if (status === 202) placed.push({ user, orderId });
    for (const path of ['/product', '/order', `/product/${productId}`]) {
      statuses.push((await user.call('GET', path)).status);
    }
  }
  return { statuses, placed };
}

/** One user wants all of a product, in one order and in many at once; ten others want one piece each. */
function hoarding(): Promise<string> {
  const environment = { DEFAULT_MAX_PER_ORDER: '10' };
  return withStack({ environment }, async (stack) => {
    const productId = await newProduct(stack, 9500);
    const hoarder = await Customer.of(stack);
    const whole = await hoarder.place(productId, 9500, { prefer: 'wait=10' });
    const tries = await Promise.all(
      Array.from({ length: 64 }, () => hoarder.place(productId, 10, ALLOW_DUPLICATE)),
    );
    const taken = tries.filter(({ status }) => status === 202).length;
    const buyers = await Promise.all(Array.from({ length: 10 }, () => Customer.of(stack)));
    const placed: Placed[] = [];
    for (const user of buyers)
      placed.push({ user, orderId: (await user.place(productId, 1)).orderId });
    await untilTrue(stack, stack.clock.now(), () => all(placed, 'PENDING_PAYMENT'));
    return `all at once: ${String(whole.status)} ${whole.code}; of 64 orders at once ${String(taken)} taken; the next 10 buyers all reserved`;
  });
}

/** One user asks for a product with an id that is none, thirty times a second, while others order. */
function probing(): Promise<string> {
  return withStack({}, async (stack) => {
    const user = await Customer.of(stack);
    const productId = await newProduct(stack, 100);
    const { orderId } = await user.place(productId, 1);
    await untilTrue(stack, stack.clock.now(), () => all([{ user, orderId }], 'PENDING_PAYMENT'));
    await user.pay(orderId, 'tok_declined');
    await untilTrue(stack, stack.clock.now(), () => all([{ user, orderId }], 'PAYMENT_FAILED'));
    const answers = new Map<string, number>();
    const placed: Placed[] = [];
    const others = await Promise.all(Array.from({ length: 5 }, () => Customer.of(stack)));
    for (const other of others) {
      for (let call = 0; call < 30; call += 1) {
        const answer = await user.change(orderId, '.');
        const text = `${String(answer.status)} ${answer.code}`;
        answers.set(text, (answers.get(text) ?? 0) + 1);
      }
      placed.push({ user: other, orderId: (await other.place(productId, 1)).orderId });
      await stack.clock.advance(1000);
    }
    const seconds = await untilTrue(stack, stack.clock.now(), () => all(placed, 'PENDING_PAYMENT'));
    const told = [...answers].map(([text, times]) => `${text} × ${String(times)}`).join(', ');
    return `${told}; 5 orders of others all reserved, ${seconds.toFixed(0)} s after the last`;
  });
}

const CASES: readonly Case[] = [
  { name: 'one user asks for productId "."', run: probing },
  {
    name: 'Inventory takes 4 calls/s',
    run: () =>
      reserving((stack) => setFault(stack, { mode: 'throttled', callsPerSecond: CALLS_A_SECOND })),
  },
  {
    name: "Inventory's table takes 4 writes/s",
    run: () =>
      reserving((stack) => {
        const isWrite = ({ kind, operation, target }: Parameters<Interceptor>[0]) =>
          kind === 'dynamodb' &&
          operation === 'TransactWriteItems' &&
          target === stack.tableNames['InventoryTable'];
        limited(stack, isWrite, CALLS_A_SECOND, noCapacity);
      }),
  },
  {
    name: 'Lambda runs 4 reservations/s',
    run: () =>
      reserving((stack) => {
        const callsThisSecond = callsPerSecond(stack.clock);
        stack.setAdmission((functionKey) =>
          functionKey === 'reserveStock' && callsThisSecond() > CALLS_A_SECOND
            ? Promise.reject(new Throttled())
            : undefined,
        );
      }),
  },
  { name: 'the gateway takes 1 call/s', run: charging },
  { name: 'a lone order, 39 s without Inventory, budget 60 s', run: () => alone(60) },
  { name: 'a lone order, 39 s without Inventory, budget 20 s', run: () => alone(20) },
  { name: 'an account of 10, no waits', run: () => starving(10, {}, '0') },
  {
    name: 'an account of 200, reserved concurrency',
    run: () =>
      starving(
        200,
        {
          SAGA_RESERVED_CONCURRENCY: '4',
          INVENTORY_RESERVED_CONCURRENCY: '20',
          WEBHOOK_RESERVED_CONCURRENCY: '10',
          SCHEDULE_RESERVED_CONCURRENCY: '1',
        },
        '10',
      ),
  },
  { name: 'one user wants all 9,500 pieces', run: hoarding },
];

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean' } },
  allowPositionals: true,
});
if (values.help === true) {
  console.log(USAGE);
} else {
  const chosen = CASES.filter(
    ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  );
  for (const { name, run } of chosen) console.log(`${name}: ${await run()}`);
}
