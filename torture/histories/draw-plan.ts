import { Chance } from './chance.ts';
import { drawOutages, drawRates } from './draw-faults.ts';
import { type Line, MANAGER, type Operation, type Plan, SCHEDULER, type Wish } from './plan.ts';

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'] as const;

/**
 * Short times, so that time-outs expire while work is under way. The state machine's definition contains
 * these three settings and is slow to build, so there are only a few combinations.
 */
const TIMES = [
  { RESERVATION_TTL_SECONDS: '900', PAYMENT_ACK_TIMEOUT_SECONDS: '180', RETRY_MAX_ATTEMPTS: '5' },
  { RESERVATION_TTL_SECONDS: '120', PAYMENT_ACK_TIMEOUT_SECONDS: '30', RETRY_MAX_ATTEMPTS: '2' },
  { RESERVATION_TTL_SECONDS: '40', PAYMENT_ACK_TIMEOUT_SECONDS: '8', RETRY_MAX_ATTEMPTS: '1' },
  { RESERVATION_TTL_SECONDS: '40', PAYMENT_ACK_TIMEOUT_SECONDS: '180', RETRY_MAX_ATTEMPTS: '3' },
] as const;

const SETTINGS = {
  INVENTORY_OUTAGE_BUDGET_SECONDS: ['120', '20', '0'],
  CIRCUIT_MIN_CALLS: ['20', '2', '5'],
  CIRCUIT_MIN_ORDERS: ['5', '1', '2'],
  QUEUE_MAX_RECEIVES: ['8', '3', '1'],
  DUPLICATE_WINDOW_SECONDS: ['600', '60', '600'],
  MAX_OPEN_ORDERS_PER_USER: ['10', '2', '4'],
  DISPATCH_AFTER_SECONDS: ['30', '5', '30'],
  SCHEDULE_SECONDS: ['60', '10', '60'],
} as const satisfies Readonly<Record<string, readonly [string, ...string[]]>>;

const TOKENS = {
  tok_ok: 28,
  tok_async: 14,
  tok_declined: 12,
  tok_insufficient_funds: 2,
  tok_ack_lost: 9,
  tok_ack_late: 7,
  tok_ack_twice: 9,
  tok_never_captured: 10,
  tok_gateway_down: 3,
  tok_flaky: 6,
} as const;

/** Relative frequency of what a user does with an order. */
const ANY_TIME = {
  'place again': 5,
  'place the same': 4,
  get: 9,
  modify: 16,
  cancel: 6,
  'retry order': 5,
  'get payment': 3,
  pry: 2,
  round: 4,
  receive: 3,
  price: 2,
  offer: 2,
} as const;

/** Additional weights before and after the order's first payment. */
const HABITS = {
  unpaid: { ...ANY_TIME, place: 4, pay: 45, 'retry payment': 1 },
  paid: { ...ANY_TIME, place: 9, pay: 6, 'retry payment': 26 },
} as const;

type Habit = keyof (typeof HABITS)['paid'];

/** Actors of the operations that no customer performs. */
const ACTORS: Partial<Record<Wish['kind'], string>> = {
  receive: MANAGER,
  price: MANAGER,
  offer: MANAGER,
  round: SCHEDULER,
};

type When = 'at once' | 'soon' | 'later' | 'much later' | 'at the end';

/** Weights of the delay since the order's previous operation. A retry comes later, because it needs a failure. */
const OFTEN_SOON: Readonly<Record<When, number>> = {
  'at once': 24,
  soon: 42,
  later: 20,
  'much later': 6,
  'at the end': 8,
};
const OFTEN_LATER: Readonly<Record<When, number>> = {
  'at once': 10,
  soon: 22,
  later: 36,
  'much later': 20,
  'at the end': 12,
};

/** Draws the plan of a seed. */
export function drawPlan(seed: number): Plan {
  const chance = new Chance(seed);
  const configuration = drawConfiguration(chance);
  const products = drawProducts(chance);
  const operations = drawOperations(chance, products.map(({ productId }) => productId) as never, {
    ttlMs: Number(configuration['RESERVATION_TTL_SECONDS'] ?? 900) * 1000,
    acknowledgeMs: Number(configuration['PAYMENT_ACK_TIMEOUT_SECONDS'] ?? 180) * 1000,
    roundMs: Number(configuration['SCHEDULE_SECONDS'] ?? 60) * 1000,
  });
  return {
    seed,
    configuration,
    products,
    operations,
    rates: drawRates(chance),
    outages: drawOutages(chance, operations),
    isLeftToExpire: chance.of('left to expire') < 0.4,
    faultsGoOnMs: chance.of('go on') < 0.4 ? 0 : chance.spread(1000, 600_000, 'go on for'),
  };
}

function drawConfiguration(chance: Chance): Record<string, string> {
  if (chance.of('defaults') < 0.4) return {};
  const others = Object.entries(SETTINGS).map(([name, values]): [string, string] => [
    name,
    chance.pick(values, name),
  ]);
  const times = chance.pick<Readonly<Record<string, string>>>(TIMES, 'times');
  return { ...times, ...Object.fromEntries(others) };
}

function drawProducts(chance: Chance): Plan['products'] {
  const count = chance.between(1, 3, 'products');
  return Array.from({ length: count }, (_, index) => {
    const name = `product ${String(index)}`;
    const isForeign = index > 0 && chance.of(`${name} currency`) < 0.15;
    return {
      productId: `prod-${'abc'[index] ?? ''}`,
      name,
      description: name,
      unitPrice: {
        amount: chance.between(1, 50, `${name} price`) * 100,
        currency: isForeign ? 'USD' : 'EUR',
      },
      stock: chance.spread(3, 30, `${name} stock`),
      active: chance.of(`${name} active`) < 0.95,
    };
  });
}

interface Times {
  readonly ttlMs: number;
  readonly acknowledgeMs: number;
  readonly roundMs: number;
}

function drawOperations(
  chance: Chance,
  productIds: readonly [string, ...string[]],
  times: Times,
): Operation[] {
  const users = NAMES.slice(0, chance.spread(3, NAMES.length, 'users')) as unknown as [string];
  const count = 10 + Math.floor(chance.of('operations') ** 1.5 * 21);
  const operations: Operation[] = [];
  for (let number = 1; number <= count; number += 1) {
    const words = `operation ${String(number)}`;
    const user = users[number - 1] ?? chance.pick(users, `${words} user`);
    operations.push(new Drawing(chance, words, productIds, times, operations).draw(number, user));
  }
  return operations;
}

/** Draws one operation, given the earlier ones. */
class Drawing {
  readonly #chance: Chance;
  readonly #words: string;
  readonly #productIds: readonly [string, ...string[]];
  readonly #times: Times;
  readonly #before: readonly Operation[];

  constructor(
    chance: Chance,
    words: string,
    productIds: readonly [string, ...string[]],
    times: Times,
    before: readonly Operation[],
  ) {
    this.#chance = chance;
    this.#words = words;
    this.#productIds = productIds;
    this.#times = times;
    this.#before = before;
  }

  draw(number: number, user: string): Operation {
    const words = (what: string) => `${this.#words} ${what}`;
    const orders = this.#before.filter(({ kind }) => kind === 'place');
    const own = orders.filter((order) => order.user === user);
    // Prefers the latest order.
    const order = own.at(this.#chance.of(words('which')) < 0.7 ? -1 : 0);
    const isPaid = this.#before.some((one) => one.kind === 'pay' && one.order === order?.number);
    const habits = HABITS[isPaid ? 'paid' : 'unpaid'];
    const habit = order === undefined ? 'place' : this.#chance.weighted(habits, words('habit'));
    const wish = this.#wish(number, user, habit, order, orders);
    return {
      ...wish,
      number,
      user: ACTORS[wish.kind] ?? user,
      atMs: this.#atMs(wish, order),
      patienceMs: this.#chance.spread(300, 30_000, words('patience')),
      tries: this.#chance.between(1, 5, words('tries')),
    };
  }

  #wish(
    number: number,
    user: string,
    habit: Habit,
    order: Operation | undefined,
    orders: readonly Operation[],
  ): Wish {
    const chance = this.#chance;
    const words = (what: string) => `${this.#words} ${what}`;
    const waitSeconds = chance.of(words('waits')) < 0.75 ? 0 : chance.between(1, 4, words('wait'));
    const productId = chance.pick(this.#productIds, words('product'));
    const placing = {
      kind: 'place',
      key: chance.of(words('keyless')) < 0.08 ? undefined : `${user}-${String(number)}`,
      items: this.#items('items'),
      allowDuplicate: chance.of(words('allows')) < 0.1,
      waitSeconds,
    } as const;
    if (order?.kind !== 'place') return placing;
    switch (habit) {
      case 'place':
        return placing;
      case 'place again': {
        // Sometimes a client reuses a key for another request.
        const items = chance.of(words('mixes up')) < 0.12 ? placing.items : order.items;
        return { ...placing, key: order.key ?? placing.key, items };
      }
      case 'place the same':
        return { ...placing, items: order.items, allowDuplicate: chance.of(words('allows')) < 0.3 };
      case 'get':
      case 'cancel':
      case 'get payment':
        return { kind: habit, order: order.number };
      case 'modify': {
        const ifMatch = chance.of(words('if match')) < 0.4;
        return {
          kind: habit,
          order: order.number,
          items: this.#items('new items'),
          ifMatch,
          waitSeconds,
        };
      }
      case 'retry order':
        return { kind: habit, order: order.number, waitSeconds };
      case 'pay':
      case 'retry payment': {
        const token = chance.weighted(TOKENS, words('token'));
        return { kind: habit, order: order.number, token, waitSeconds };
      }
      case 'pry': {
        const others = orders.filter((one) => one.user !== order.user);
        const [first, ...more] = others.map((one) => one.number);
        if (first === undefined) return { kind: 'get', order: order.number };
        const at = chance.pick(['order', 'cancel', 'pay'] as const, words('at'));
        return { kind: habit, order: chance.pick([first, ...more], words('whose')), at };
      }
      case 'round': {
        const isSweeper = chance.of(words('sweeper')) < 0.3;
        return { kind: habit, of: isSweeper ? 'expireReservations' : 'dispatchDueWork' };
      }
      case 'receive':
        return { kind: habit, productId, quantity: chance.between(1, 4, words('quantity')) };
      case 'price':
        return {
          kind: habit,
          productId,
          amount: chance.between(1, 50, words('price')) * 100,
          currency: chance.of(words('currency')) < 0.85 ? 'EUR' : 'USD',
        };
      case 'offer':
        return { kind: habit, productId, active: chance.of(words('active')) < 0.7 };
    }
  }

  /** One or two products; sometimes several lines of one product, rarely an invalid quantity. */
  #items(what: string): Line[] {
    const chance = this.#chance;
    const words = `${this.#words} ${what}`;
    const count = chance.of(`${words} lines`) < 0.7 ? 1 : 2;
    return Array.from({ length: count }, (_, index) => {
      const line = `${words} ${String(index)}`;
      return {
        productId:
          chance.of(`${line} unknown`) < 0.02 ? 'prod-z' : chance.pick(this.#productIds, line),
        quantity:
          chance.of(`${line} bad`) < 0.02
            ? 0
            : 1 + Math.floor(chance.of(`${line} quantity`) ** 2 * 4),
      };
    });
  }

  /** Mostly soon after the order's previous operation; sometimes just as a deadline passes. */
  #atMs(wish: Wish, order: Operation | undefined): number {
    const chance = this.#chance;
    const words = `${this.#words} time`;
    // Around the time of a scheduled round.
    if (wish.kind === 'round') {
      const rounds = chance.between(1, 8, `${words} rounds`);
      return this.#times.roundMs * rounds + chance.between(-5, 60, words);
    }
    if (order === undefined || !('order' in wish || wish.kind === 'place')) {
      return chance.of(`${words} early`) < 0.9
        ? chance.between(0, 1500, words)
        : chance.spread(1000, 600_000, words);
    }
    const last = this.#before.findLast(
      (one) => one === order || ('order' in one && one.order === order.number),
    );
    const sinceMs = last?.atMs ?? order.atMs;
    const isRetry = wish.kind === 'retry payment' || wish.kind === 'retry order';
    switch (chance.weighted(isRetry ? OFTEN_LATER : OFTEN_SOON, `${words} kind`)) {
      case 'at once':
        return sinceMs + chance.between(0, 60, words);
      case 'soon':
        return sinceMs + chance.spread(60, 3000, words);
      case 'later':
        return sinceMs + chance.spread(3000, 40_000, words);
      case 'much later':
        return sinceMs + chance.spread(40_000, 400_000, words);
      case 'at the end': {
        const { ttlMs, acknowledgeMs } = this.#times;
        const endMs = chance.of(`${words} which`) < 0.5 ? ttlMs : acknowledgeMs;
        return sinceMs + endMs + chance.between(-2500, 2500, words);
      }
    }
  }
}
