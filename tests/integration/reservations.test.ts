import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paymentIdFor } from '../../lib/orders/payment-id.ts';
import { directOrderId } from '../../torture/direct-orders.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { sweep } from '../support/rounds.ts';
import {
  type Answer,
  Customer,
  call,
  callInventory,
  inventoryCall,
  newProduct,
  type ReservationDocument,
  stockLine,
  stockOf,
} from '../support/shop.ts';
import { aMoment, asTimeGoesOn, startTestStack } from '../support/stack.ts';
import { embeddedOnly, isDeployed } from '../support/target.ts';
import type { TestStack } from '../support/test-stack.ts';

const RESERVATION_TTL_MS = 900_000;
const MAX_HOLD_MS = 6 * 3_600_000;

/** Checks that a hold has just begun: the embedded stack's clock goes on during the call. */
function expectWholeHold({ json }: { readonly json: unknown }): void {
  const { remainingMs } = json as ReservationDocument;
  expect(Math.ceil((remainingMs ?? 0) / 60_000)).toBe(MAX_HOLD_MS / 60_000);
}
/** Until the year 9999. */
const FOR_EVER_SECONDS = 251_000_000_000;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({
    SCHEDULE_SECONDS: '3600',
    MAX_HOLD_SECONDS: String(MAX_HOLD_MS / 1000),
  });
});

afterAll(async () => {
  await stack.stop();
});

const RUN = randomUUID();
let reservations = 0;
const [PAY_A, PAY_B] = ['a', 'b'].map((name) => paymentIdFor(directOrderId(), name)) as [
  string,
  string,
];

/** The reservation of an order that only the Inventory Service knows. */
class Reservation {
  readonly orderId: string;

  constructor() {
    reservations += 1;
    this.orderId = directOrderId(RUN, String(reservations));
  }

  put(
    revision: number,
    lines: Readonly<Record<string, number>>,
    { keepsTime = false, holdSeconds = RESERVATION_TTL_MS / 1000 } = {},
  ): Promise<Answer> {
    const items = Object.entries(lines).map(([productId, quantity]) => ({ productId, quantity }));
    return inventoryCall(stack, 'PUT', this.orderId, { revision, holdSeconds, keepsTime, items });
  }

  release(revision: number): Promise<Answer> {
    return inventoryCall(stack, 'DELETE', `${this.orderId}?revision=${String(revision)}`);
  }

  extend(revision: number, holdSeconds: number): Promise<Answer> {
    return inventoryCall(stack, 'POST', `${this.orderId}/extend`, { revision, holdSeconds });
  }

  confirm(revision: number, paymentId: string): Promise<Answer> {
    return inventoryCall(stack, 'POST', `${this.orderId}/confirm`, { revision, paymentId });
  }

  async stored(): Promise<ReservationDocument> {
    return (await inventoryCall(stack, 'GET', this.orderId)).json as ReservationDocument;
  }
}

describe('the Inventory Service', () => {
  const path = `/inventory/reservation/${new Reservation().orderId}`;

  test('is not in the public API', async () => {
    const headers = { 'x-service-credential': stack.environment['INVENTORY_CREDENTIAL'] ?? '' };
    expect((await call(stack, 'GET', path, headers)).summary).toBe('404 NOT_FOUND');
  });

  test('asks for a signature, and for the credential behind it', async () => {
    const authorization = `Bearer ${await stack.mintToken('alice')}`;
    const unsigned = await callInventory(stack, 'GET', path, {
      authorization,
      'x-service-credential': '',
    });
    // LocalStack checks no IAM.
    expect([401, 403]).toContain(unsigned.status);
    const signed = await callInventory(stack, 'GET', path, { 'x-service-credential': 'another' });
    expect(signed.summary).toBe('401 UNAUTHENTICATED');
  });

  test('answers every other path with a problem', async () => {
    const unknown = await callInventory(stack, 'POST', path);
    expect(unknown.summary).toBe('404 NOT_FOUND');
    expect(unknown.headers.get('x-correlation-id')).not.toBeNull();
  });

  test('prices a product for the Order Service', async () => {
    const product = await callInventory(stack, 'GET', '/inventory/product/prod-mug');
    expect(product.json).toMatchObject({ unitPrice: { amount: 850, currency: 'EUR' } });
    const unknown = await callInventory(stack, 'GET', '/inventory/product/prod-none');
    expect(unknown.summary).toBe('404 NOT_FOUND');
  });
});

describe('orders of fifty users at once', () => {
  async function everyUserOrdersOne(productId: string, users: number): Promise<string[]> {
    if (isDeployed) embeddedOnly('a crowd orders at once');
    const customers = await Promise.all(Array.from({ length: users }, () => Customer.of(stack)));
    const placing = Promise.all(
      customers.map((customer) => customer.place([{ productId, quantity: 1 }], { wait: 10 })),
    );
    const placed = await watchingStock(productId, placing);
    expect(placed.filter(({ status }) => ![201, 202, 422].includes(status))).toEqual([]);
    return Promise.all(
      placed.map(async (answer, index) => {
        const { orderId } = answer.json as { orderId: string };
        const settled = await asTimeGoesOn(
          stack,
          () => customers[index]!.expectStatus(orderId, 'PENDING_PAYMENT', 'INVALID'),
          { stepSeconds: 1 },
        );
        return `${settled.status} ${String(settled.reason)}`;
      }),
    );
  }

  /** Checks P1 repeatedly while work goes on, not only at the end. */
  async function watchingStock<Result>(productId: string, work: Promise<Result>): Promise<Result> {
    const state = { isDone: false };
    const result = work.finally(() => {
      state.isDone = true;
    });
    while (!state.isDone) {
      const { available, reserved, sold, received } = await stockOf(stack, productId);
      expect(available).toBeGreaterThanOrEqual(0);
      expect(available + reserved + sold).toBe(received);
      await aMoment();
    }
    return result;
  }

  function times(count: number, text: string): string[] {
    return Array.from({ length: count }, () => text);
  }

  test('reserve exactly the 20 pieces there are', async () => {
    const productId = await newProduct(20);
    const outcomes = await everyUserOrdersOne(productId, 50);
    expect(outcomes.sort()).toEqual([
      ...times(30, 'INVALID OUT_OF_STOCK'),
      ...times(20, 'PENDING_PAYMENT null'),
    ]);
    expect(await stockLine(stack, productId)).toBe('0/20/0');
  });

  test('reserve exactly the 25 mugs there are', async () => {
    const outcomes = await everyUserOrdersOne('prod-mug', 50);
    expect(outcomes.sort()).toEqual([
      ...times(25, 'INVALID OUT_OF_STOCK'),
      ...times(25, 'PENDING_PAYMENT null'),
    ]);
    expect(await stockLine(stack, 'prod-mug')).toBe('0/25/0');
  });
});

describe('a reservation', () => {
  test('of several products is all or nothing', async () => {
    const plenty = await newProduct(10);
    const scarce = await newProduct(1);
    const withdrawn = await newProduct(10, { active: false });
    const dollars = await newProduct(10, { currency: 'USD' });
    const reservation = new Reservation();

    const refusals = [
      await reservation.put(1, { [plenty]: 2, [scarce]: 2 }),
      await reservation.put(1, { [plenty]: 2, [withdrawn]: 1 }),
      await reservation.put(1, { [plenty]: 2, 'prod-none': 1 }),
      await reservation.put(1, { [plenty]: 2, [dollars]: 1 }),
    ];

    expect(refusals.map(({ summary }) => summary)).toEqual([
      '422 OUT_OF_STOCK',
      '409 PRODUCT_UNAVAILABLE',
      '422 UNKNOWN_PRODUCT',
      '422 MIXED_CURRENCIES',
    ]);
    expect(await stockLine(stack, plenty)).toBe('10/0/0');
    expect(await stockLine(stack, scarce)).toBe('1/0/0');
    expect((await inventoryCall(stack, 'GET', reservation.orderId)).status).toBe(404);

    const reserved = await reservation.put(1, { [plenty]: 2, [scarce]: 1 });
    expect(reserved.summary).toBe('200 HELD');
    expect(await stockLine(stack, plenty)).toBe('8/2/0');
    expect(await stockLine(stack, scarce)).toBe('0/1/0');
    await reservation.release(1);
  });

  test('repeated at the same revision answers what is stored, whatever it now asks for', async () => {
    const productId = await newProduct(10);
    const reservation = new Reservation();
    const first = await reservation.put(1, { [productId]: 2 });
    const again = await reservation.put(1, { [productId]: 2 });
    const other = await reservation.put(1, { [productId]: 5 });
    const { remainingMs: _left, ...stored } = first.json as ReservationDocument;
    for (const { json } of [again, other]) expect(json).toMatchObject(stored);
    expect(await stockLine(stack, productId)).toBe('8/2/0');

    await reservation.confirm(1, PAY_A);
    expect((await reservation.put(1, { [productId]: 2 })).summary).toBe('200 CONFIRMED');
    expect(await stockLine(stack, productId)).toBe('8/0/2');
  });

  test('repeated 20 times at once reserves once', async () => {
    const productId = await newProduct(10);
    const reservation = new Reservation();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => reservation.put(1, { [productId]: 3 })),
    );
    expect(answers.map(({ summary }) => summary)).toEqual(answers.map(() => '200 HELD'));
    expect(await stockLine(stack, productId)).toBe('7/3/0');
    await reservation.release(1);
  });

  test('at a higher revision is adjusted up and down', async () => {
    const [first, second] = [await newProduct(10), await newProduct(10)];
    const reservation = new Reservation();
    await reservation.put(1, { [first]: 2 });

    await reservation.put(2, { [first]: 5 });
    expect(await stockLine(stack, first)).toBe('5/5/0');
    await reservation.put(3, { [first]: 1, [second]: 4 });
    expect(await stockLine(stack, first)).toBe('9/1/0');
    expect(await stockLine(stack, second)).toBe('6/4/0');
    await reservation.put(7, { [second]: 2 });
    expect(await stockLine(stack, first)).toBe('10/0/0');
    expect(await stockLine(stack, second)).toBe('8/2/0');

    expect(await reservation.stored()).toMatchObject({ status: 'HELD', revision: 7 });
    await reservation.release(7);
  });

  test('that is modified keeps the time it had', async () => {
    const productId = await newProduct(10);
    const reservation = new Reservation();
    await reservation.put(1, { [productId]: 2 });
    const { expiresAt } = await reservation.stored();
    await stack.clock.advance(60_000);

    await reservation.put(2, { [productId]: 5 }, { keepsTime: true });

    expect(await reservation.stored()).toMatchObject({ revision: 2, expiresAt });
    await reservation.release(2);
  });

  test('that cannot be adjusted stands as it was', async () => {
    const productId = await newProduct(3);
    const reservation = new Reservation();
    await reservation.put(1, { [productId]: 2 });
    expect((await reservation.put(2, { [productId]: 4 })).summary).toBe('422 OUT_OF_STOCK');
    expect(await reservation.stored()).toMatchObject({ status: 'HELD', revision: 1 });
    expect(await stockLine(stack, productId)).toBe('1/2/0');
    // The change needs only the difference in stock.
    expect((await reservation.put(2, { [productId]: 3 })).summary).toBe('200 HELD');
    await reservation.release(2);
  });

  test('is not taken by a late release of an older revision', async () => {
    const productId = await newProduct(5);
    const reservation = new Reservation();
    await reservation.put(1, { [productId]: 1 });
    await reservation.put(2, { [productId]: 2 });

    const late = await reservation.release(1);

    expect(late.json).toMatchObject({ status: 'HELD', revision: 2 });
    expect(await stockLine(stack, productId)).toBe('3/2/0');
    await reservation.release(2);
  });

  test('is not resurrected by a late reserve', async () => {
    const productId = await newProduct(5);
    const reservation = new Reservation();
    expect((await reservation.release(3)).json).toMatchObject({ status: 'RELEASED', revision: 3 });
    const late = [
      await reservation.put(1, { [productId]: 1 }),
      await reservation.put(3, { [productId]: 1 }),
    ];
    expect(late.map(({ summary }) => summary)).toEqual([
      '409 STALE_REVISION',
      '410 RESERVATION_GONE',
    ]);
    expect(await stockLine(stack, productId)).toBe('5/0/0');
    expect((await reservation.put(4, { [productId]: 1 })).summary).toBe('200 HELD');
    await reservation.release(4);
  });

  test('is released once, however often it is asked for', async () => {
    const productId = await newProduct(5);
    const reservation = new Reservation();
    await reservation.put(1, { [productId]: 2 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => reservation.release(1)));
    expect(answers.map(({ summary }) => summary)).toEqual(answers.map(() => '200 RELEASED'));
    expect(await stockLine(stack, productId)).toBe('5/0/0');
  });

  test('is sold or released, never both, when both are asked for at once', async () => {
    const productId = await newProduct(40);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const reservation = new Reservation();
        await reservation.put(1, { [productId]: 1 });
        const [confirmed] = await Promise.all([
          reservation.confirm(1, PAY_A),
          reservation.release(1),
        ]);
        const { status } = await reservation.stored();
        expect(confirmed.summary).toBe(
          status === 'CONFIRMED' ? '200 CONFIRMED' : '410 RESERVATION_GONE',
        );
        return status;
      }),
    );
    const sold = outcomes.filter((status) => status === 'CONFIRMED').length;
    expect(await stockLine(stack, productId)).toBe(`${String(40 - sold)}/0/${String(sold)}`);
  });

  test('is extended, but never shortened', async () => {
    const productId = await newProduct(5);
    const reservation = new Reservation();
    await reservation.put(1, { [productId]: 1 });
    const holdSeconds = (2 * RESERVATION_TTL_MS) / 1000;
    const extended = (await reservation.extend(1, holdSeconds)).json as ReservationDocument;
    expect(extended.remainingMs).toBeGreaterThan(1.9 * RESERVATION_TTL_MS);
    const { expiresAt } = extended;
    expect((await reservation.extend(1, holdSeconds - 60)).json).toMatchObject({ expiresAt });
    await reservation.release(1);
  });

  test('is held for MAX_HOLD_SECONDS at most, whatever is asked for and how often', async () => {
    if (isDeployed) embeddedOnly('hours pass, in which a hold of this length ends');
    const [productId, other] = [await newProduct(5), await newProduct(5)];
    const reservation = new Reservation();
    const first = await reservation.put(1, { [productId]: 5 }, { holdSeconds: FOR_EVER_SECONDS });
    const { expiresAt } = first.json as ReservationDocument;
    expectWholeHold(first);
    let left = MAX_HOLD_MS;
    const later = async () => {
      await stack.clock.advance(600_000);
      left -= 600_000;
    };

    await later();
    expect((await reservation.extend(1, FOR_EVER_SECONDS)).json).toMatchObject({ expiresAt });
    for (const [revision, lines, keepsTime] of [
      [2, { [productId]: 4 }, false],
      [3, { [productId]: 4 }, true],
      [4, { [other]: 1 }, false],
      [5, { [other]: 1, [productId]: 5 }, false],
    ] as const) {
      await later();
      const options = { keepsTime, holdSeconds: FOR_EVER_SECONDS };
      const changed = await reservation.put(revision, lines, options);
      expect(changed.json).toMatchObject({ status: 'HELD', expiresAt });
      const extended = await reservation.extend(revision, FOR_EVER_SECONDS);
      expect(extended.json).toMatchObject({ expiresAt });
    }

    await stack.clock.advance(left + 1000);
    expect((await reservation.extend(5, FOR_EVER_SECONDS)).json).toMatchObject({ remainingMs: 0 });
    await sweep();
    expect([await stockLine(stack, productId), await stockLine(stack, other)]).toEqual([
      '5/0/0',
      '5/0/0',
    ]);
    expect((await reservation.extend(5, FOR_EVER_SECONDS)).summary).toBe('410 RESERVATION_GONE');
  });

  test('that was given back and is taken again is held anew', async () => {
    if (isDeployed) embeddedOnly('minutes pass');
    const productId = await newProduct(5);
    const reservation = new Reservation();
    await reservation.put(1, { [productId]: 1 }, { holdSeconds: FOR_EVER_SECONDS });
    await stack.clock.advance(600_000);
    await reservation.release(1);
    const again = await reservation.put(2, { [productId]: 1 }, { holdSeconds: FOR_EVER_SECONDS });
    expectWholeHold(again);
    await reservation.release(2);
  });

  test('whose time is up is released by the sweeper, and not a moment before', async () => {
    const productId = await newProduct(5);
    const [expiring, extended, sold] = [new Reservation(), new Reservation(), new Reservation()];
    for (const each of [expiring, extended, sold]) await each.put(1, { [productId]: 1 });
    await sold.confirm(1, PAY_A);
    await stack.clock.advance(RESERVATION_TTL_MS - 5000);
    await extended.extend(1, 60);
    await stack.runSchedules();
    expect(await stockLine(stack, productId)).toBe('2/2/1');

    await stack.clock.advance(6000);
    await stack.runSchedules();

    expect(await stockLine(stack, productId)).toBe('3/1/1');
    expect((await expiring.stored()).status).toBe('RELEASED');
    expect((await expiring.extend(1, 60)).summary).toBe('410 RESERVATION_GONE');
    expect((await expiring.confirm(1, PAY_A)).summary).toBe('410 RESERVATION_GONE');
    expect((await expiring.put(1, { [productId]: 1 })).summary).toBe('410 RESERVATION_GONE');
    await extended.release(1);
  });

  test('whose time is up is given back once by several sweepers at once', async () => {
    const productId = await newProduct(30);
    const held = Array.from({ length: 10 }, () => new Reservation());
    for (const each of held) await each.put(1, { [productId]: 2 });
    await stack.clock.advance(RESERVATION_TTL_MS + 1000);

    const released = await Promise.all([1, 2, 3].map(() => sweep()));

    expect(released.reduce((sum, count) => sum + count, 0)).toBe(10);
    expect(await stockLine(stack, productId)).toBe('30/0/0');
    expect(await sweep()).toBe(0);
  });
});

/**
 * Section 5 of the specification: the response to each call on each stored state.
 * The stored revision is 5, held or sold with two units, sold for the payment PAY_A.
 */
const STORED = {
  nothing: () => Promise.resolve(undefined),
  held: (reservation: Reservation, productId: string) => reservation.put(5, { [productId]: 2 }),
  sold: async (reservation: Reservation, productId: string) => {
    await reservation.put(5, { [productId]: 2 });
    return reservation.confirm(5, PAY_A);
  },
  released: async (reservation: Reservation, productId: string) => {
    await reservation.put(5, { [productId]: 2 });
    return reservation.release(5);
  },
} as const;

type Call = readonly ['put' | 'release' | 'extend' | 'confirm a' | 'confirm b', number];

const EXPECTED: readonly (readonly [
  stored: keyof typeof STORED,
  call: Call,
  answer: string,
  stock: string,
])[] = [
  ['nothing', ['put', 4], '200 HELD 4', '7/3/0'],
  ['nothing', ['release', 4], '200 RELEASED 4', '10/0/0'],
  ['nothing', ['extend', 4], '410 RESERVATION_GONE', '10/0/0'],
  ['nothing', ['confirm a', 4], '410 RESERVATION_GONE', '10/0/0'],

  ['held', ['put', 4], '409 STALE_REVISION', '8/2/0'],
  ['held', ['put', 5], '200 HELD 5', '8/2/0'],
  ['held', ['put', 6], '200 HELD 6', '7/3/0'],
  ['held', ['release', 4], '200 HELD 5', '8/2/0'],
  ['held', ['release', 5], '200 RELEASED 5', '10/0/0'],
  ['held', ['release', 6], '200 RELEASED 6', '10/0/0'],
  ['held', ['extend', 4], '410 RESERVATION_GONE', '8/2/0'],
  ['held', ['extend', 5], '200 HELD 5', '8/2/0'],
  ['held', ['extend', 6], '410 RESERVATION_GONE', '8/2/0'],
  ['held', ['confirm a', 4], '410 RESERVATION_GONE', '8/2/0'],
  ['held', ['confirm a', 5], '200 CONFIRMED 5', '8/0/2'],
  ['held', ['confirm a', 6], '410 RESERVATION_GONE', '8/2/0'],

  ['sold', ['put', 4], '409 STALE_REVISION', '8/0/2'],
  ['sold', ['put', 5], '200 CONFIRMED 5', '8/0/2'],
  ['sold', ['put', 6], '410 RESERVATION_GONE', '8/0/2'],
  ['sold', ['release', 4], '200 CONFIRMED 5', '8/0/2'],
  ['sold', ['release', 5], '200 CONFIRMED 5', '8/0/2'],
  ['sold', ['release', 6], '200 CONFIRMED 5', '8/0/2'],
  ['sold', ['extend', 5], '200 CONFIRMED 5', '8/0/2'],
  ['sold', ['confirm a', 4], '410 RESERVATION_GONE', '8/0/2'],
  ['sold', ['confirm a', 5], '200 CONFIRMED 5', '8/0/2'],
  ['sold', ['confirm b', 5], '410 RESERVATION_GONE', '8/0/2'],

  ['released', ['put', 4], '409 STALE_REVISION', '10/0/0'],
  ['released', ['put', 5], '410 RESERVATION_GONE', '10/0/0'],
  ['released', ['put', 6], '200 HELD 6', '7/3/0'],
  ['released', ['release', 4], '200 RELEASED 5', '10/0/0'],
  ['released', ['release', 5], '200 RELEASED 5', '10/0/0'],
  ['released', ['release', 6], '200 RELEASED 6', '10/0/0'],
  ['released', ['extend', 5], '410 RESERVATION_GONE', '10/0/0'],
  ['released', ['confirm a', 5], '410 RESERVATION_GONE', '10/0/0'],
];

describe('where the Inventory Service has stored revision 5', () => {
  test.each(EXPECTED)(
    'as %s, %j is answered %s',
    async (stored, [kind, revision], answer, stock) => {
      const productId = await newProduct(10);
      const reservation = new Reservation();
      await STORED[stored](reservation, productId);

      const given = await perform(reservation, kind, revision, productId);

      const { revision: shown } = given.json as { revision?: number };
      expect(shown === undefined ? given.summary : `${given.summary} ${String(shown)}`).toBe(
        answer,
      );
      expect(await stockLine(stack, productId)).toBe(stock);
    },
  );

  function perform(
    reservation: Reservation,
    kind: Call[0],
    revision: number,
    productId: string,
  ): Promise<Answer> {
    switch (kind) {
      case 'put':
        return reservation.put(revision, { [productId]: 3 });
      case 'release':
        return reservation.release(revision);
      case 'extend':
        return reservation.extend(revision, (2 * RESERVATION_TTL_MS) / 1000);
      case 'confirm a':
        return reservation.confirm(revision, PAY_A);
      case 'confirm b':
        return reservation.confirm(revision, PAY_B);
    }
  }

  test.each([
    [
      'a fractional revision',
      { revision: 1.5, holdSeconds: 1, items: [{ productId: 'p', quantity: 1 }] },
    ],
    ['no revision', { holdSeconds: 1, items: [{ productId: 'p', quantity: 1 }] }],
    ['revision 0', { revision: 0, holdSeconds: 1, items: [{ productId: 'p', quantity: 1 }] }],
    ['no items', { revision: 1, holdSeconds: 1, items: [] }],
    ['no hold', { revision: 1, items: [{ productId: 'p', quantity: 1 }] }],
    ['a hold of 0 s', { revision: 1, holdSeconds: 0, items: [{ productId: 'p', quantity: 1 }] }],
    ['quantity 0', { revision: 1, holdSeconds: 1, items: [{ productId: 'p', quantity: 0 }] }],
  ])('a body with %s is a problem', async (_what, body) => {
    const answer = await inventoryCall(stack, 'PUT', new Reservation().orderId, body);
    expect(answer.summary).toBe('400 BAD_REQUEST');
  });
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(stack);
});
