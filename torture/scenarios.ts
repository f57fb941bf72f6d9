import { sleep } from '../lib/platform/clock.ts';
import { type Admission, Throttled } from '../local/stack/lambda-runtime.ts';
import { answerWith, anyGatewayCall, throttled } from '../tests/support/faults.ts';
import { STEPS } from './always.ts';
import type { Shop } from './shop.ts';
import type { RecordedEffect, WorldInterceptor } from './world/effect-log.ts';
import { loseAnswer } from './world/faults.ts';
import { BEGINNING_MS } from './world/virtual-clock.ts';

export interface Scenario {
  readonly name: string;
  /** Performs the user's acts, and lets time pass between them. */
  act(shop: Shop): Promise<void>;
  /** Longest time to rest. */
  readonly rest: RestLimit;
  /** Differences from the scenario's own expected end, one text each; checked besides the promises. */
  readonly unlike?: (shop: Shop) => readonly string[];
  /** A fault or a concurrent call that is part of every run. */
  readonly meanwhile?: Meanwhile;
  /** Selects calls that never arrive. */
  readonly cutOff?: (effect: RecordedEffect) => boolean;
  /** Answers some calls in the place of the other side. */
  readonly answering?: (shop: Shop) => WorldInterceptor;
  /** Functions that run at the same time; others are throttled. By default, there is no limit. */
  readonly concurrency?: number;
  /** Delays or refuses invocations on their way to their functions. */
  readonly admission?: (shop: Shop) => Admission;
  /** Settings that differ from the defaults. */
  readonly configuration?: Readonly<Record<string, string>>;
}

/** Acts on the first effect that matches, once. */
export interface Meanwhile {
  readonly on: (effect: RecordedEffect) => boolean;
  readonly act: (shop: Shop, ...call: Parameters<WorldInterceptor>) => Promise<unknown>;
}

/** In seconds of the world's clock. */
export interface RestLimit {
  /** Limit without strikes. */
  readonly undisturbed: number;
  /** Additional time for the recovery from each strike. */
  readonly perStrike: number;
}

/** Pause before the first retry of a step. */
const RETRY = 1;
/** Leftover work is due after 30 s, and the dispatcher comes every 60 s. */
const FOUND = 30 + 60;
/** Time until the saga asks the gateway about a missing acknowledgement. */
const ASKED = 180;
/** Longest wait of a saga for its user. */
const RESERVED_SECONDS = 930;

const UNPAID: RestLimit = { undisturbed: RETRY, perStrike: FOUND + 5 * RETRY };
/** If the answer to a charge is lost, the saga asks the gateway after `ASKED`. */
const PAID: RestLimit = { undisturbed: RETRY, perStrike: FOUND + ASKED };
const UNACKNOWLEDGED: RestLimit = { undisturbed: ASKED + RETRY, perStrike: FOUND + ASKED };

/** Short times and few retries: a hold ends after 1,860 s. */
const SOON_OVER = {
  RESERVATION_TTL_SECONDS: '60',
  PAYMENT_ACK_TIMEOUT_SECONDS: '10',
  RETRY_MAX_ATTEMPTS: '1',
  THROTTLE_MAX_ATTEMPTS: '1',
};

const MUG = 'prod-mug';
const one = [{ productId: MUG, quantity: 1 }];
const two = [{ productId: MUG, quantity: 2 }];
const three = [{ productId: MUG, quantity: 3 }];

const by = (functionKey: string, operation: string) => (effect: RecordedEffect) =>
  effect.by === functionKey && effect.operation === operation;

/** The user's call comes before the effect. */
const first =
  (call: (shop: Shop) => Promise<unknown>): Meanwhile['act'] =>
  async (shop, _effect, proceed) => {
    await call(shop.rival());
    return proceed();
  };

/** The user's call comes after the effect. */
const then =
  (call: (shop: Shop) => Promise<unknown>): Meanwhile['act'] =>
  async (shop, _effect, proceed) => {
    const result = await proceed();
    await call(shop);
    return result;
  };

/** The write that enters an order among its user's open ones, before the order's own. */
const entering = (functionKey: string, operation: string) => (effect: RecordedEffect) =>
  by(functionKey, operation)(effect) && effect.target.endsWith('-orders');

const losing: Meanwhile['act'] = (_shop, effect, proceed) => loseAnswer(effect, proceed);

/** The effect is delayed by `ms` while everything else goes on. */
function afterPause(ms: number): Meanwhile['act'] {
  return async ({ world }, _effect, proceed) => {
    await new Promise<void>((resolve) => {
      world.clock.schedule(ms, resolve);
    });
    return proceed();
  };
}

/** Tells if the effect happens in the first `seconds` of the world. */
function until(seconds: number, { atMs }: RecordedEffect): boolean {
  return atMs < BEGINNING_MS + seconds * 1000;
}

function isInventory({ kind, target }: RecordedEffect): boolean {
  return kind === 'http' && target.includes('/inventory/');
}

/** The other side takes so many such calls in so many seconds, and answers 429 to all others. */
function taking(calls: number, seconds: number, isMeant: (effect: RecordedEffect) => boolean) {
  return ({ world }: Shop): WorldInterceptor => {
    const act = throttled(calls, { now: () => world.clock.now() / seconds });
    return (effect, proceed) => (isMeant(effect) ? act(proceed, effect) : proceed());
  };
}

/** Every reserve of this user's orders meets the same; those of others go through. */
function reserveOf(user: string, act: WorldInterceptor) {
  return ({ world }: Shop): WorldInterceptor =>
    (effect, proceed) => {
      const { orderId } = effect.invocation.event as { readonly orderId?: string };
      const isMeant =
        isInventory(effect) &&
        effect.operation === 'PUT' &&
        world.snapshot().orders.some((order) => order.orderId === orderId && order.userId === user);
      return isMeant ? act(effect, proceed) : proceed();
    };
}

/** Codes of orders that failed because the system could not go on with them. */
const GIVEN_UP = ['INVENTORY_UNAVAILABLE', 'SERVICE_UNAVAILABLE'];

/** P8: the orders of all users but these were never given up, and left no dead letter. */
function givenUpBut(...users: readonly string[]) {
  return ({ world }: Shop): string[] => {
    const { orders, queues } = world.snapshot();
    const others = orders.filter(({ userId }) => !users.includes(userId));
    const letters = JSON.stringify(queues['SagaDeadLetterQueue']);
    return others.flatMap(({ orderId, history }) => [
      ...history
        .filter(({ reason }) => GIVEN_UP.includes(reason))
        .map(({ to, reason }) => `P8: ${orderId} was ${to}, ${reason}`),
      ...(letters.includes(orderId) ? [`P8: ${orderId} left a dead letter`] : []),
    ]);
  };
}

/** While the user acts, nobody can read the order: a later version of the service has written it. */
async function whileUnreadable(
  { world, orderId }: Shop,
  act: () => Promise<unknown>,
): Promise<void> {
  const { orders: table } = world.parts.storage;
  const withVersion = (version: number) => {
    const key = { pk: { S: `ORDER#${orderId}` } };
    const item = table.get(key);
    const former = Number(item?.['schemaVersion']?.N);
    if (item !== undefined) table.store(key, { ...item, schemaVersion: { N: String(version) } });
    return former;
  };
  const former = withVersion(99);
  await act();
  withVersion(former);
}

/** The user pays at once, so every later charge finds the payment captured. */
function isAfterCapture(effect: RecordedEffect): boolean {
  return effect.target.endsWith('/confirm') || (effect.by === 'takePayment' && !until(1, effect));
}

/** Within the duplicate window, a user has two live orders of the same items only with X-Allow-Duplicate. */
function inForceTwice({ world }: Shop): string[] {
  const final = ['PAYMENT_DONE', 'ORDER_CANCELLED', 'INVALID'];
  const windowMs = world.runtime.config.DUPLICATE_WINDOW_SECONDS * 1000;
  const inForce = world.snapshot().orders.filter(({ status }) => !final.includes(status));
  const isTwice = inForce.some((order) =>
    inForce.some(
      (other) =>
        other !== order &&
        other.userId === order.userId &&
        JSON.stringify(other.items) === JSON.stringify(order.items) &&
        Math.abs(other.createdAtMs - order.createdAtMs) < windowMs,
    ),
  );
  return isTwice ? ['P4: the same items are ordered twice'] : [];
}

/** An attempt of reserveStock, by its input. */
interface Attempt {
  readonly run: number;
  readonly retryCount: number;
}

/** The first such attempt is under way for `seconds`. */
function underWay(seconds: number, isLate: (attempt: Attempt, shop: Shop) => boolean) {
  return (shop: Shop): Admission => {
    let isOver = false;
    return (functionKey, event) => {
      if (isOver || functionKey !== 'reserveStock' || !isLate(event as Attempt, shop)) {
        return undefined;
      }
      isOver = true;
      return sleep(shop.world.clock, seconds * 1000);
    };
  };
}

/** Longer than until the deadline of a reservation (303 s), a round of the dispatcher, and both after a strike. */
const HANGS_SECONDS = 600;

/** An order whose step hangs is not reserved by that step when it wakes up: another run does it before. */
function waitedForHungStep({ world }: Shop): string[] {
  return world.snapshot().orders.flatMap(({ orderId, run, createdAtMs, history }) => {
    const reservedAt = history.find(({ to }) => to === 'PENDING_PAYMENT')?.at ?? '';
    const isLate = Date.parse(reservedAt) - createdAtMs >= HANGS_SECONDS * 1000;
    return run === 1 && isLate ? [`P5: ${orderId} waited for a step that hung`] : [];
  });
}

async function reserved(shop: Shop): Promise<void> {
  await shop.place(one);
  await shop.rest();
}

async function paying(shop: Shop, token: string): Promise<void> {
  await reserved(shop);
  await shop.pay(token);
  await shop.rest();
}

/** An order that failed because its product was withdrawn; the product is back on sale afterwards. */
async function failed(shop: Shop): Promise<void> {
  await shop.place([{ productId: 'prod-retired', quantity: 1 }]);
  await shop.rest();
}

/**
 * Scenarios whose pairs all run: the way to the payment, later changes of mind, and a cancellation that races
 * a waiting saga.
 */
export const MOST_IMPORTANT: readonly string[] = [
  'paid',
  'modified while waiting for its payment',
  'cancelled while waiting for its payment',
];

export const SCENARIOS: readonly Scenario[] = [
  { name: 'paid', rest: PAID, act: (shop) => paying(shop, 'tok_ok') },
  { name: 'declined', rest: PAID, act: (shop) => paying(shop, 'tok_declined') },
  { name: 'refused before a charge', rest: PAID, act: (shop) => paying(shop, 'tok_refused') },
  { name: 'captured another amount', rest: PAID, act: (shop) => paying(shop, 'tok_wrong_amount') },
  {
    name: 'out of stock',
    rest: UNPAID,
    act: async (shop) => {
      await shop.place([{ productId: 'prod-grinder', quantity: 2 }]);
    },
  },
  {
    name: 'expired',
    rest: UNPAID,
    act: async (shop) => {
      await reserved(shop);
      // The wait outlasts the reservation by the longest try of its step.
      await shop.world.advance(931_000);
    },
  },
  {
    name: 'cancelled while CREATED',
    rest: UNPAID,
    meanwhile: { on: by('placeOrder', 'StartExecution'), act: first((shop) => shop.cancel()) },
    act: reserved,
  },
  {
    name: 'cancelled while reserving',
    rest: UNPAID,
    meanwhile: { on: by('reserveStock', 'PUT'), act: first((shop) => shop.cancel()) },
    act: reserved,
  },
  {
    name: 'cancelled while waiting for its payment',
    rest: { undisturbed: RETRY, perStrike: RESERVED_SECONDS },
    act: async (shop) => {
      await reserved(shop);
      await shop.cancel();
    },
  },
  {
    name: 'cancelled after a declined payment',
    rest: PAID,
    act: async (shop) => {
      await paying(shop, 'tok_declined');
      await shop.cancel();
    },
  },
  {
    name: 'cancelled after it failed',
    rest: UNPAID,
    act: async (shop) => {
      await failed(shop);
      await shop.cancel();
    },
  },
  {
    name: 'modified while waiting for its payment',
    rest: PAID,
    act: async (shop) => {
      await reserved(shop);
      await shop.modify(two);
      await shop.rest();
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'modified while being paid',
    rest: PAID,
    act: async (shop) => {
      await reserved(shop);
      await shop.pay('tok_never_captured');
      await shop.world.advance(5000);
      await shop.modify(two);
      await shop.rest();
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'modified after a declined payment',
    rest: PAID,
    act: async (shop) => {
      await paying(shop, 'tok_declined');
      await shop.modify(two);
      await shop.retryPayment('tok_ok');
    },
  },
  {
    name: 'order retried',
    rest: PAID,
    act: async (shop) => {
      await failed(shop);
      await shop.changeProduct('prod-retired', { active: true });
      await shop.retryOrder();
      await shop.rest();
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'payment retried',
    rest: PAID,
    act: async (shop) => {
      await paying(shop, 'tok_declined');
      await shop.retryPayment('tok_ok');
    },
  },
  { name: 'acknowledged', rest: PAID, act: (shop) => paying(shop, 'tok_async') },
  { name: 'acknowledged twice', rest: PAID, act: (shop) => paying(shop, 'tok_ack_twice') },
  {
    name: 'acknowledged late',
    rest: { ...UNACKNOWLEDGED, undisturbed: ASKED + 5 + RETRY },
    act: (shop) => paying(shop, 'tok_ack_late'),
  },
  {
    name: 'acknowledgement lost',
    rest: UNACKNOWLEDGED,
    act: (shop) => paying(shop, 'tok_ack_lost'),
  },
  {
    name: 'acknowledged by an event that nobody knows',
    rest: UNACKNOWLEDGED,
    act: (shop) => paying(shop, 'tok_unknown_event'),
  },
  {
    name: 'acknowledged untruly',
    rest: UNACKNOWLEDGED,
    act: (shop) => paying(shop, 'tok_untrue_event'),
  },
  {
    name: 'never captured',
    rest: UNACKNOWLEDGED,
    act: (shop) => paying(shop, 'tok_never_captured'),
  },
  {
    name: 'answer of Inventory lost',
    rest: PAID,
    meanwhile: { on: by('reserveStock', 'PUT'), act: losing },
    act: (shop) => paying(shop, 'tok_ok'),
    unlike: givenUpBut(),
  },
  {
    name: 'hung while reserving',
    configuration: { THROTTLE_MAX_ATTEMPTS: '1' },
    rest: { undisturbed: HANGS_SECONDS + RETRY, perStrike: RESERVED_SECONDS },
    cutOff: ({ by: caller, operation, invocation }) =>
      caller === 'reserveStock' &&
      operation === 'PUT' &&
      (invocation.event as Attempt).run === 1 &&
      (invocation.event as Attempt).retryCount === 0,
    admission: underWay(
      HANGS_SECONDS,
      ({ run, retryCount }, { world }) =>
        run === 1 &&
        retryCount > 0 &&
        world.snapshot().orders.some(({ status }) => status === 'PENDING_RESERVING_STOCK'),
    ),
    act: (shop) => paying(shop, 'tok_ok'),
    unlike: waitedForHungStep,
  },
  {
    name: 'wait timed out early',
    rest: { ...PAID, undisturbed: 45 + RETRY },
    // The time-out of the state, after 930 s, comes before the order's time is up, after 945 s.
    admission: underWay(45, () => true),
    act: async (shop) => {
      await reserved(shop);
      await shop.world.advance(BEGINNING_MS + 935_000 - shop.world.clock.now());
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'throttled',
    // Each step four times: the delays are 1, 2, 4 and 8 s at most.
    rest: { undisturbed: 15 + RETRY, perStrike: FOUND + ASKED + 15 },
    admission: () => {
      const times = new Map<string, number>();
      return (functionKey) => {
        const soFar = times.get(functionKey) ?? 0;
        times.set(functionKey, soFar + 1);
        const isRefused = STEPS.includes(functionKey) && soFar < 4;
        return isRefused ? Promise.reject(new Throttled()) : undefined;
      };
    },
    act: (shop) => paying(shop, 'tok_ok'),
  },
  {
    name: 'answer of the gateway lost',
    rest: UNACKNOWLEDGED,
    meanwhile: { on: by('takePayment', 'POST'), act: losing },
    act: (shop) => paying(shop, 'tok_ok'),
  },
  {
    name: 'captured after it was given up',
    rest: UNACKNOWLEDGED,
    // The service cannot ask for the payment's state; only the void shows that it was captured.
    cutOff: ({ kind, operation, target }) =>
      kind === 'http' && operation === 'GET' && target.includes('/gateway/'),
    configuration: { RETRY_MAX_ATTEMPTS: '1' },
    act: (shop) => paying(shop, 'tok_ack_lost'),
  },
  {
    name: 'the last piece',
    rest: PAID,
    act: async (shop) => {
      await shop.place([{ productId: 'prod-grinder', quantity: 1 }]);
      await shop.rest();
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'ordered twice',
    rest: UNPAID,
    act: async (shop) => {
      await reserved(shop);
      await shop.place(one);
    },
    unlike: inForceTwice,
  },
  {
    name: 'ordered twice on purpose',
    rest: UNPAID,
    act: async (shop) => {
      await reserved(shop);
      await shop.place(one, { 'x-allow-duplicate': 'true' });
    },
  },
  {
    name: 'ordered twice at the same moment',
    rest: UNPAID,
    meanwhile: {
      on: entering('placeOrder', 'UpdateItem'),
      act: then((shop) => shop.rival().place(one)),
    },
    act: reserved,
    unlike: inForceTwice,
  },
  {
    name: 'as many orders as allowed',
    rest: { undisturbed: RETRY, perStrike: RESERVED_SECONDS },
    configuration: { MAX_OPEN_ORDERS_PER_USER: '2' },
    act: async (shop) => {
      await reserved(shop);
      await shop.place(two);
      await shop.place(three);
      await shop.rest();
      await shop.cancel();
      await shop.rest();
      await shop.place(three);
    },
  },
  {
    name: 'retried without a place',
    rest: UNPAID,
    configuration: { MAX_OPEN_ORDERS_PER_USER: '1' },
    act: async (shop) => {
      await failed(shop);
      await shop.changeProduct('prod-retired', { active: true });
      await shop.another().place(one);
      await shop.rest();
      await shop.retryOrder();
    },
  },
  {
    name: 'retried while the last place is wanted',
    rest: UNPAID,
    configuration: { MAX_OPEN_ORDERS_PER_USER: '1' },
    meanwhile: {
      on: entering('retryOrder', 'PutItem'),
      act: then((shop) => shop.rival().place(one)),
    },
    act: async (shop) => {
      await failed(shop);
      await shop.changeProduct('prod-retired', { active: true });
      await shop.retryOrder();
    },
  },
  {
    name: 'modified while the same is ordered',
    rest: { undisturbed: RETRY, perStrike: RESERVED_SECONDS },
    // The item is full of a final order, the order, and what it is about to be.
    configuration: { MAX_OPEN_ORDERS_PER_USER: '3' },
    meanwhile: {
      on: entering('modifyOrder', 'PutItem'),
      act: then(async (shop) => {
        const rival = shop.rival();
        await rival.place(three);
        await rival.place(two);
      }),
    },
    act: async (shop) => {
      await shop.place([{ productId: 'prod-coffee', quantity: 1 }]);
      await shop.rest();
      await shop.cancel();
      await reserved(shop);
      await shop.modify(two);
    },
  },
  {
    name: 'out of stock until more comes',
    rest: UNPAID,
    act: async (shop) => {
      await shop.place([{ productId: 'prod-grinder', quantity: 2 }]);
      await shop.rest();
      await shop.receiveStock('prod-grinder', 5);
    },
  },
  {
    name: 'modified in vain until more comes',
    rest: PAID,
    act: async (shop) => {
      await reserved(shop);
      await shop.modify([{ productId: MUG, quantity: 30 }]);
      await shop.rest();
      await shop.receiveStock(MUG, 10);
      await shop.rest();
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'modified just before the wait for the acknowledgement',
    rest: PAID,
    meanwhile: {
      on: by('awaitAcknowledgement', 'PutItem'),
      act: first((shop) => shop.modify(two)),
    },
    act: async (shop) => {
      await paying(shop, 'tok_never_captured');
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'acknowledged before the wait for it',
    rest: { ...PAID, undisturbed: 2 * RETRY },
    meanwhile: { on: by('awaitAcknowledgement', 'GetItem'), act: afterPause(1000) },
    act: (shop) => paying(shop, 'tok_async'),
  },
  {
    name: 'expired before its charge',
    rest: { undisturbed: 1900, perStrike: 2000 },
    // Nobody moves the paid order on until its hold has ended, after 1,860 s with this configuration.
    cutOff: (effect) =>
      (effect.operation === 'SendTaskSuccess' ||
        effect.by === 'expireOrder' ||
        effect.by === 'dispatchDueWork') &&
      until(1900, effect),
    configuration: SOON_OVER,
    act: async (shop) => {
      await reserved(shop);
      await shop.world.advance(58_000);
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'Inventory away after the capture',
    rest: { undisturbed: 2700, perStrike: 3600 },
    // For longer than the stock is held: 1,860 s with this configuration.
    cutOff: (effect) => isInventory(effect) && isAfterCapture(effect) && until(1900, effect),
    configuration: {
      ...SOON_OVER,
      // Half an hour's outage in few calls, so that each of them can be struck.
      CIRCUIT_MIN_CALLS: '1',
      CIRCUIT_MIN_ORDERS: '1',
      INVENTORY_CIRCUIT_PAUSE_SECONDS: '600',
    },
    act: (shop) => paying(shop, 'tok_ok'),
  },
  {
    name: 'Inventory away until the last try of the second run',
    rest: { undisturbed: 600, perStrike: 900 },
    // The first run tries for 195 s, is found at 240 s, and the second one's last try is at 435 s.
    cutOff: (effect) => isInventory(effect) && isAfterCapture(effect) && until(430, effect),
    configuration: {
      ...SOON_OVER,
      // Every failure is an outage, with the retries of one.
      CIRCUIT_MIN_CALLS: '1',
      CIRCUIT_MIN_ORDERS: '1',
    },
    act: (shop) => paying(shop, 'tok_ok'),
  },
  {
    name: 'Inventory throttled',
    // The last of three calls waits for two others.
    rest: { undisturbed: 5 + RETRY, perStrike: FOUND + ASKED },
    answering: taking(1, 1, isInventory),
    // Two failures would open the circuit.
    configuration: { CIRCUIT_MIN_CALLS: '2', CIRCUIT_MIN_ORDERS: '2', RETRY_MAX_ATTEMPTS: '2' },
    act: async (shop) => {
      const others = [shop.customer('bob'), shop.customer('carol')];
      for (const user of [shop, ...others]) await user.place(one);
      await shop.rest();
      await shop.pay('tok_ok');
      await others[0]?.pay('tok_ok');
    },
    unlike: givenUpBut(),
  },
  {
    name: 'gateway throttled',
    rest: { undisturbed: 10 + RETRY, perStrike: FOUND + ASKED },
    // Two, because one try of a step may make two calls.
    answering: taking(2, 5, anyGatewayCall),
    configuration: { RETRY_MAX_ATTEMPTS: '2' },
    act: async (shop) => {
      const users = [shop, shop.customer('bob'), shop.customer('carol')];
      for (const user of users) await user.place(one);
      await shop.rest();
      for (const user of users) await user.pay('tok_ok');
    },
    unlike: givenUpBut(),
  },
  {
    name: 'every function taken',
    // As long as somebody waits.
    rest: { undisturbed: 3 + 5 + RETRY, perStrike: FOUND + ASKED },
    concurrency: 3,
    configuration: { MAX_WAIT_SECONDS: '3', RETRY_MAX_ATTEMPTS: '2' },
    act: async (shop) => {
      const other = shop.customer('bob');
      await other.place(two);
      await shop.rest();
      const waits: Promise<unknown>[] = [];
      for (const act of [() => shop.place(one), () => shop.pay('tok_ok')]) {
        // The step of the saga is the third function, and cannot call Inventory's.
        waits.push(other.waitForChange(2));
        await act();
        // From now on, there is none for the step either.
        waits.push(other.waitForChange(1));
        await shop.rest();
      }
      await Promise.all(waits);
    },
    unlike: givenUpBut(),
  },
  {
    name: 'flooded by another user',
    rest: PAID,
    configuration: {
      MAX_OPEN_ORDERS_PER_USER: '2',
      CIRCUIT_MIN_CALLS: '1',
      CIRCUIT_MIN_ORDERS: '1',
    },
    act: async (shop) => {
      const mallory = shop.customer('mallory');
      await mallory.place([{ productId: '.', quantity: 1 }]);
      await shop.rest();
      const flood = mallory.placeAtOnce([one, two, three]);
      await shop.place(one);
      await shop.rest();
      await flood;
      await shop.pay('tok_ok');
    },
    unlike: givenUpBut(),
  },
  {
    name: 'Inventory never answers about one order',
    // The outage budget, and the release that follows it.
    rest: { undisturbed: 10 + 5 + RETRY, perStrike: FOUND + ASKED },
    // Longer than the budget.
    answering: reserveOf('bob', (effect, proceed) =>
      until(60, effect) ? Promise.reject(new TypeError('fetch failed')) : proceed(),
    ),
    configuration: {
      INVENTORY_OUTAGE_BUDGET_SECONDS: '10',
      CIRCUIT_MIN_CALLS: '2',
      // One more than the orders of which a call fails if one is struck.
      CIRCUIT_MIN_ORDERS: '3',
    },
    act: async (shop) => {
      await shop.customer('bob').place(one);
      await paying(shop, 'tok_ok');
    },
    unlike: givenUpBut('bob'),
  },
  {
    name: 'Inventory refuses one order for no known reason',
    rest: PAID,
    answering: reserveOf('bob', (effect, proceed) => answerWith(400)(proceed, effect)),
    configuration: { CIRCUIT_MIN_CALLS: '1', CIRCUIT_MIN_ORDERS: '1' },
    act: async (shop) => {
      await shop.customer('bob').place(one);
      await paying(shop, 'tok_ok');
    },
    unlike: givenUpBut('bob'),
  },
  {
    name: 'more pieces than one order may have',
    rest: UNPAID,
    act: async (shop) => {
      await shop.changeProduct(MUG, { maxPerOrder: 3 });
      await shop.place([...two, ...two]);
      await shop.rest();
      await shop.place(three);
      await shop.rest();
      await shop.modify([...two, ...two]);
    },
  },
  {
    name: 'ordered beside an unreadable order',
    rest: UNPAID,
    act: async (shop) => {
      await reserved(shop);
      await whileUnreadable(shop, async () => {
        const { status } = await shop.another().place(one);
        if (status >= 500) throw new Error('P8: an unreadable order locks its user out.');
      });
    },
  },
  {
    name: 'paid under an impatient dispatcher',
    rest: PAID,
    configuration: { DISPATCH_AFTER_SECONDS: '1', SCHEDULE_SECONDS: '1' },
    act: (shop) => paying(shop, 'tok_ok'),
  },
];

/** @throws Error if no scenario has this name. */
export function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no scenario ${name}.`);
  return found;
}
