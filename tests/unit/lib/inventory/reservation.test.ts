import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expireReservations } from '../../../../lib/inventory/expire-reservations.ts';
import { reserveBody } from '../../../../lib/inventory/http/reservation-api.ts';
import type { InventoryService } from '../../../../lib/inventory/inventory-service.ts';
import {
  LockContention,
  MixedCurrencies,
  OutOfStock,
  ProductUnavailable,
  ReservationGone,
  UnknownProduct,
} from '../../../../lib/inventory/refusals.ts';
import type { Reservation } from '../../../../lib/inventory/reservation.ts';
import {
  confirmReservation,
  decideRelease,
  decideReserve,
  expireReservation,
  extendReservation,
  getReservation,
  type ReserveRequest,
  releaseReservation,
  reserveProducts,
} from '../../../../lib/inventory/reservation-lifecycle.ts';
import { mergeLines } from '../../../../lib/orders/order-items.ts';
import {
  DomainError,
  InfrastructureUnavailable,
  NotFound,
} from '../../../../lib/platform/errors.ts';
import { RESERVATION_MOVES } from '../../../../torture/legal-moves.ts';
import {
  brokenPromises,
  FakeInventoryRepository,
  inventoryOver,
  product,
  StillClock,
  TTL_SECONDS,
} from './fake-inventory.ts';

const LINES = [{ productId: 'mug', quantity: 2, unitPrice: { amount: 100, currency: 'EUR' } }];
const STORED = {
  HELD: {
    status: 'HELD',
    orderId: 'o',
    revision: 5,
    version: 1,
    lines: LINES,
    heldSinceMs: 1,
    expiresAtMs: 9,
    correlationId: 'c',
  },
  CONFIRMED: {
    status: 'CONFIRMED',
    orderId: 'o',
    revision: 5,
    version: 1,
    lines: LINES,
    paymentId: 'p',
  },
  RELEASED: { status: 'RELEASED', orderId: 'o', revision: 5, version: 1, because: 'RELEASED' },
} as const satisfies Record<string, Reservation>;

const REVISIONS = { lower: 4, same: 5, higher: 6 } as const;

describe('what is decided', () => {
  test.each([
    ['HELD', 'lower', 'REFUSE STALE_REVISION'],
    ['HELD', 'same', 'ANSWER'],
    ['HELD', 'higher', 'ADJUST'],
    ['CONFIRMED', 'lower', 'REFUSE STALE_REVISION'],
    ['CONFIRMED', 'same', 'ANSWER'],
    ['CONFIRMED', 'higher', 'REFUSE RESERVATION_GONE'],
    ['RELEASED', 'lower', 'REFUSE STALE_REVISION'],
    ['RELEASED', 'same', 'REFUSE RESERVATION_GONE'],
    ['RELEASED', 'higher', 'RESERVE'],
  ] as const)('PUT on %s at a %s revision: %s', (stored, revision, expected) => {
    const decision = decideReserve(STORED[stored], REVISIONS[revision]);
    const refusal = decision.kind === 'REFUSE' ? ` ${decision.because}` : '';
    expect(decision.kind + refusal).toBe(expected);
    if (decision.kind === 'ANSWER') expect(decision.current).toBe(STORED[stored]);
    if (decision.kind === 'ADJUST') expect(decision.held).toBe(STORED[stored]);
  });

  test.each([
    ['HELD', 'lower', 'NOTHING'],
    ['HELD', 'same', 'RELEASE'],
    ['HELD', 'higher', 'RELEASE'],
    ['CONFIRMED', 'lower', 'NOTHING'],
    ['CONFIRMED', 'same', 'NOTHING'],
    ['CONFIRMED', 'higher', 'NOTHING'],
    ['RELEASED', 'lower', 'NOTHING'],
    ['RELEASED', 'same', 'NOTHING'],
    ['RELEASED', 'higher', 'MARK'],
  ] as const)('DELETE on %s at a %s revision: %s', (stored, revision, expected) => {
    const decision = decideRelease(STORED[stored], REVISIONS[revision]);
    expect(decision.kind).toBe(expected);
    if (decision.kind === 'NOTHING') expect(decision.current).toBe(STORED[stored]);
    if (decision.kind === 'RELEASE') expect(decision.held).toBe(STORED[stored]);
  });

  test('where nothing was ever stored, PUT reserves and DELETE leaves its mark', () => {
    expect(decideReserve(undefined, 1)).toEqual({ kind: 'RESERVE' });
    expect(decideRelease(undefined, 1)).toEqual({ kind: 'MARK' });
  });
});

function illegalMoves(repository: FakeInventoryRepository): string[] {
  const legal: readonly string[] = RESERVATION_MOVES.map(([from, to]) => `${from} → ${to}`);
  return repository.moves
    .map(([from, to]) => `${from} → ${to}`)
    .filter((move) => !legal.includes(move));
}

type Operation =
  | {
      readonly kind: 'PUT';
      readonly orderId: string;
      readonly revision: number;
      readonly keepsTime: boolean;
      readonly items: Items;
    }
  | { readonly kind: 'DELETE'; readonly orderId: string; readonly revision: number }
  | {
      readonly kind: 'extend';
      readonly orderId: string;
      readonly revision: number;
      readonly seconds: number;
    }
  | {
      readonly kind: 'confirm';
      readonly orderId: string;
      readonly revision: number;
      readonly paymentId: string;
    }
  | { readonly kind: 'expire'; readonly orderId: string }
  | { readonly kind: 'sweep' };

type Items = readonly { readonly productId: string; readonly quantity: number }[];

const orderId = fc.constantFrom('one', 'two', 'three');
const revision = fc.integer({ min: 1, max: 5 });
const items = fc
  .array(
    fc.record({
      productId: fc.constantFrom('mug', 'coffee', 'grinder', 'dollar', 'unknown'),
      quantity: fc.integer({ min: 1, max: 6 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map(mergeLines);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('PUT' as const),
      orderId,
      revision,
      keepsTime: fc.boolean(),
      items,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('DELETE' as const), orderId, revision }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('extend' as const),
      orderId,
      revision,
      seconds: fc.integer({ min: 0, max: 2 * TTL_SECONDS }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('confirm' as const),
      orderId,
      revision,
      paymentId: fc.constantFrom('pay-1', 'pay-2'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), orderId }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
);

/** Events around the operations: time, prices, sales, contention. */
type Happening =
  | { readonly kind: 'later'; readonly seconds: number }
  | { readonly kind: 'reprice'; readonly amount: number }
  | { readonly kind: 'withdraw' | 'offer' }
  | { readonly kind: 'busy'; readonly times: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    kind: fc.constant('later' as const),
    seconds: fc.integer({ min: 1, max: TTL_SECONDS }),
  }),
  fc.record({ kind: fc.constant('reprice' as const), amount: fc.integer({ min: 1, max: 999 }) }),
  fc.record({ kind: fc.constantFrom('withdraw' as const, 'offer' as const) }),
  fc.record({ kind: fc.constant('busy' as const), times: fc.integer({ min: 1, max: 3 }) }),
);

function isHappening(what: Operation | Happening): what is Happening {
  return ['later', 'reprice', 'withdraw', 'offer', 'busy'].includes(what.kind);
}

function stocked(repository = new FakeInventoryRepository()): FakeInventoryRepository {
  for (const each of [
    product('mug', 6),
    product('coffee', 10),
    product('grinder', 1),
    product('dollar', 9, { unitPrice: { amount: 5, currency: 'USD' } }),
  ]) {
    repository.products.set(each.productId, each);
  }
  return repository;
}

function happen(repository: FakeInventoryRepository, clock: StillClock, what: Happening): void {
  const mug = repository.products.get('mug')!;
  switch (what.kind) {
    case 'later':
      clock.nowMs += what.seconds * 1000;
      break;
    case 'reprice':
      repository.products.set('mug', {
        ...mug,
        unitPrice: { amount: what.amount, currency: 'EUR' },
      });
      break;
    case 'withdraw':
      repository.products.set('mug', { ...mug, status: 'WITHDRAWN' });
      break;
    case 'offer':
      repository.products.set('mug', { ...mug, status: 'ACTIVE' });
      break;
    case 'busy':
      repository.busy.push(...Array.from({ length: what.times }, () => true));
      break;
  }
}

/** One complete round; returns the number of released reservations. */
async function sweep(inventory: InventoryService): Promise<number> {
  return (await expireReservations(inventory, () => true)).handled;
}

/** Runs one operation. A refusal is an outcome like any other; any other error is a defect. */
async function perform(inventory: InventoryService, what: Operation): Promise<unknown> {
  try {
    switch (what.kind) {
      case 'PUT':
        return await reserveProducts(inventory, {
          ...what,
          holdSeconds: TTL_SECONDS,
          lines: what.items,
          correlationId: 'c',
        });
      case 'DELETE':
        return await releaseReservation(inventory, what.orderId, what.revision);
      case 'extend':
        return await extendReservation(inventory, {
          ...what,
          holdSeconds: what.seconds,
        });
      case 'confirm':
        return await confirmReservation(inventory, what);
      case 'expire':
        return await expireReservation(inventory, what.orderId);
      case 'sweep':
        return await sweep(inventory);
    }
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

/** Changes between two stored states of a reservation that no operation may make. */
function forbidden(
  before: Reservation | undefined,
  now: Reservation | undefined,
  keepsTime: boolean,
): string[] {
  if (before === undefined || now === before) return [];
  if (now === undefined) return ['a reservation was lost'];
  const found: string[] = [];
  if (now.revision < before.revision) found.push('the revision went down');
  if (now.version <= before.version) found.push('the version did not go up');
  if (before.status === 'CONFIRMED') found.push('what was sold was changed');
  if (before.status === 'RELEASED' && now.status !== 'RELEASED') {
    if (now.revision <= before.revision) found.push('a tombstone was resurrected');
  }
  if (before.status === 'HELD' && now.status === 'HELD') {
    if (now.heldSinceMs !== before.heldSinceMs) found.push('a hold began anew');
    if (now.revision === before.revision && now.expiresAtMs <= before.expiresAtMs) {
      found.push('an extension made the time shorter');
    }
    if (keepsTime && now.revision > before.revision && now.expiresAtMs !== before.expiresAtMs) {
      found.push('a modification changed the time');
    }
    for (const line of now.lines) {
      const old = before.lines.find(({ productId }) => productId === line.productId);
      if (old !== undefined && old.unitPrice.amount !== line.unitPrice.amount) {
        found.push('a frozen price was changed');
      }
    }
  }
  return found;
}

/** Section 5 of the specification: effects of PUT and DELETE at a revision. */
function expectRevisionRules(
  what: Operation,
  outcome: unknown,
  before: Reservation | undefined,
  now: Reservation | undefined,
): void {
  if (what.kind === 'DELETE') {
    if (before !== undefined && before.revision > what.revision) expect(now).toBe(before);
    else if (before?.status === 'CONFIRMED') expect(now).toBe(before);
    else if (!(outcome instanceof DomainError)) {
      expect(now).toMatchObject({ status: 'RELEASED', revision: what.revision });
    }
  }
  if (what.kind === 'PUT') {
    if (before !== undefined && before.revision > what.revision) expect(now).toBe(before);
    if (before?.status === 'RELEASED' && before.revision === what.revision) {
      expect(now).toBe(before);
    }
    if (!(outcome instanceof DomainError)) {
      expect(outcome).toEqual(now);
      expect(now?.revision).toBe(what.revision);
    }
  }
}

describe('any sequence of operations', () => {
  test('keeps promise P1 and never resurrects, loses or takes what is not its own', async () => {
    const step = fc.oneof({ weight: 5, arbitrary: operation }, { weight: 2, arbitrary: happening });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
        async (steps) => {
          const repository = stocked();
          const clock = new StillClock();
          const inventory = inventoryOver(repository, clock);
          for (const what of steps) {
            const reservations = new Map(repository.reservations);
            const products = new Map(repository.products);
            if (isHappening(what)) {
              happen(repository, clock, what);
            } else {
              const outcome = await perform(inventory, what);
              if (outcome instanceof DomainError) {
                expect(repository.reservations).toEqual(reservations);
                expect(repository.products).toEqual(products);
              }
              if ('orderId' in what) {
                const [was, is] = [reservations, repository.reservations];
                expectRevisionRules(what, outcome, was.get(what.orderId), is.get(what.orderId));
              }
            }
            for (const id of ['one', 'two', 'three']) {
              const keepsTime = what.kind === 'PUT' && what.keepsTime;
              const [was, is] = [reservations.get(id), repository.reservations.get(id)];
              expect(forbidden(was, is, keepsTime)).toEqual([]);
            }
            expect(brokenPromises(repository)).toEqual([]);
          }
          expect(illegalMoves(repository)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('the last piece goes to one order only, whoever asks how often', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.tuple(orderId, revision), { minLength: 2, maxLength: 6 }),
        async (scheduler, wishes) => {
          const repository = stocked(
            new FakeInventoryRepository((call) => scheduler.schedule(Promise.resolve(), call)),
          );
          const inventory = inventoryOver(repository);
          await scheduler.waitFor(
            Promise.all(
              wishes.map(([id, at]) =>
                perform(inventory, {
                  kind: 'PUT',
                  orderId: id,
                  revision: at,
                  keepsTime: false,
                  items: [{ productId: 'grinder', quantity: 1 }],
                }),
              ),
            ),
          );
          const holders = [...repository.reservations.values()].filter(
            ({ status }) => status === 'HELD',
          );
          expect(holders).toHaveLength(1);
          expect(brokenPromises(repository)).toEqual([]);
        },
      ),
    );
  });
});

describe('operations at the same time', () => {
  test('keep promise P1 and only take legal moves, whoever comes first at each call', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(operation, { maxLength: 8 }),
        fc.array(operation, { minLength: 2, maxLength: 4 }),
        fc.boolean(),
        async (scheduler, first, together, isLate) => {
          let isConcurrent = false;
          const repository = stocked(
            new FakeInventoryRepository((call) =>
              isConcurrent ? scheduler.schedule(Promise.resolve(), call) : Promise.resolve(),
            ),
          );
          const clock = new StillClock();
          const inventory = inventoryOver(repository, clock);
          for (const what of first) await perform(inventory, what);
          if (isLate) clock.nowMs += (TTL_SECONDS + 1) * 1000;
          const before = new Map(repository.reservations);

          isConcurrent = true;
          await scheduler.waitFor(Promise.all(together.map((what) => perform(inventory, what))));

          expect(brokenPromises(repository)).toEqual([]);
          expect(illegalMoves(repository)).toEqual([]);
          for (const id of ['one', 'two', 'three']) {
            const [was, is] = [before.get(id), repository.reservations.get(id)];
            if (was === undefined) continue;
            expect(is?.revision).toBeGreaterThanOrEqual(was.revision);
            if (was.status === 'CONFIRMED') expect(is).toBe(was);
            if (was.status === 'RELEASED' && is?.status !== 'RELEASED') {
              expect(is?.revision).toBeGreaterThan(was.revision);
            }
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('of a confirmation and an expiry exactly one wins', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        let isConcurrent = false;
        const repository = stocked(
          new FakeInventoryRepository((call) =>
            isConcurrent ? scheduler.schedule(Promise.resolve(), call) : Promise.resolve(),
          ),
        );
        const clock = new StillClock();
        const inventory = inventoryOver(repository, clock);
        await reserve(inventory, { orderId: 'one', revision: 1, lines: [MUG] });
        clock.nowMs += TTL_SECONDS * 1000;

        isConcurrent = true;
        const [confirmed, expired] = await scheduler.waitFor(
          Promise.all([
            perform(inventory, {
              kind: 'confirm',
              orderId: 'one',
              revision: 1,
              paymentId: 'pay-1',
            }),
            perform(inventory, { kind: 'expire', orderId: 'one' }),
          ]),
        );

        expect(confirmed instanceof ReservationGone).toBe(expired);
        expect(repository.reservations.get('one')?.status).toBe(expired ? 'RELEASED' : 'CONFIRMED');
        expect(brokenPromises(repository)).toEqual([]);
      }),
    );
  });
});

const MUG = { productId: 'mug', quantity: 2 };

/** A first reservation, whose hold starts anew. */
type Wanted = Omit<ReserveRequest, 'keepsTime' | 'correlationId' | 'holdSeconds'>;

function reserve(inventory: InventoryService, request: Wanted) {
  return reserveProducts(inventory, {
    ...request,
    holdSeconds: TTL_SECONDS,
    keepsTime: false,
    correlationId: 'c',
  });
}

async function reserved() {
  const repository = stocked();
  const clock = new StillClock();
  const inventory = inventoryOver(repository, clock);
  const held = await reserve(inventory, { orderId: 'one', revision: 2, lines: [MUG] });
  return { repository, clock, inventory, held };
}

describe('reserving', () => {
  test('a higher revision takes the difference only', async () => {
    const { repository, inventory } = await reserved();
    await reserve(inventory, {
      orderId: 'one',
      revision: 3,
      lines: [
        { productId: 'mug', quantity: 6 },
        { productId: 'coffee', quantity: 1 },
      ],
    });
    expect(repository.products.get('mug')).toMatchObject({ available: 0, reserved: 6 });
    expect(repository.products.get('coffee')).toMatchObject({ available: 9, reserved: 1 });
  });

  test('a modification keeps the time that was promised, a retry begins anew', async () => {
    const { clock, inventory, held } = await reserved();
    clock.nowMs += 60_000;
    const lines = [{ productId: 'mug', quantity: 3 }];
    const request = { orderId: 'one', correlationId: 'c', holdSeconds: TTL_SECONDS, lines };
    expect(
      await reserveProducts(inventory, { ...request, revision: 3, keepsTime: true }),
    ).toMatchObject({ expiresAtMs: held.status === 'HELD' ? held.expiresAtMs : 0 });
    expect(
      await reserveProducts(inventory, { ...request, revision: 4, keepsTime: false }),
    ).toMatchObject({ expiresAtMs: clock.nowMs + TTL_SECONDS * 1000 });
  });

  test('a product that stays keeps the price it was first reserved at', async () => {
    const { repository, inventory } = await reserved();
    const dearer = { amount: 777, currency: 'EUR' };
    for (const id of ['mug', 'coffee']) {
      repository.products.set(id, { ...repository.products.get(id)!, unitPrice: dearer });
    }
    const lines = [
      { productId: 'mug', quantity: 3 },
      { productId: 'coffee', quantity: 1 },
    ];
    const adjusted = await reserve(inventory, { orderId: 'one', revision: 3, lines });
    expect(adjusted.lines.map(({ unitPrice }) => unitPrice.amount)).toEqual([100, 777]);
  });

  test('the same request twice at once never finds its own stock missing', async () => {
    const request = { orderId: 'one', revision: 1, lines: [{ productId: 'mug', quantity: 6 }] };
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const repository = stocked(
          new FakeInventoryRepository((call) => scheduler.schedule(Promise.resolve(), call)),
        );
        const inventory = inventoryOver(repository);
        const [left, right] = await scheduler.waitFor(
          Promise.all([reserve(inventory, request), reserve(inventory, request)]),
        );
        expect(left).toEqual(right);
        expect(brokenPromises(repository)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('giving pieces back needs neither stock nor a product on sale', async () => {
    const { repository, inventory } = await reserved();
    repository.products.set('mug', { ...repository.products.get('mug')!, status: 'WITHDRAWN' });
    const lines = [{ productId: 'mug', quantity: 1 }];
    await reserve(inventory, { orderId: 'one', revision: 3, lines });
    expect(repository.products.get('mug')).toMatchObject({ available: 5, reserved: 1 });
  });

  test.each([
    ['more than there is', [{ productId: 'mug', quantity: 7 }], OutOfStock],
    ['what does not exist', [{ productId: 'unknown', quantity: 1 }], UnknownProduct],
    ['what is withdrawn', [{ productId: 'retired', quantity: 1 }], ProductUnavailable],
    ['two currencies', [MUG, { productId: 'dollar', quantity: 1 }], MixedCurrencies],
  ])('of %s is refused by name, all lines or none', async (_what, lines, refusal) => {
    const repository = stocked();
    repository.products.set('retired', product('retired', 9, { status: 'WITHDRAWN' }));
    const before = new Map(repository.products);
    const inventory = inventoryOver(repository);
    await expect(
      reserve(inventory, {
        orderId: 'one',
        revision: 1,
        lines: [{ productId: 'coffee', quantity: 1 }, ...lines],
      }),
    ).rejects.toBeInstanceOf(refusal);
    expect(repository.products).toEqual(before);
    expect(repository.reservations.size).toBe(0);
  });

  test('contention is retried inside and surfaces only in the end', async () => {
    const { repository, inventory } = await reserved();
    repository.busy.push(...Array.from({ length: 9 }, () => true));
    const lines = [{ productId: 'coffee', quantity: 1 }];
    await reserve(inventory, { orderId: 'two', revision: 1, lines });
    repository.busy.push(...Array.from({ length: 10 }, () => true));
    await expect(
      reserve(inventory, { orderId: 'three', revision: 1, lines }),
    ).rejects.toBeInstanceOf(LockContention);
  });

  test('the service takes no body that names a product twice', () => {
    const hold = { revision: 1, holdSeconds: 900 };
    expect(reserveBody.schema.safeParse({ ...hold, items: [MUG, MUG] }).success).toBe(false);
    expect(reserveBody.schema.safeParse({ ...hold, items: [MUG] }).success).toBe(true);
  });
});

describe('ending a reservation', () => {
  test('a late reserve finds the tombstone of a release that came before it', async () => {
    const repository = stocked();
    const inventory = inventoryOver(repository);
    await releaseReservation(inventory, 'one', 2);
    for (const late of [1, 2]) {
      const request = { orderId: 'one', revision: late, lines: [MUG] };
      await expect(reserve(inventory, request)).rejects.toThrow(DomainError);
    }
    expect(repository.products.get('mug')).toMatchObject({ available: 6, reserved: 0 });
  });

  test('releasing twice gives the stock back once', async () => {
    const { repository, inventory } = await reserved();
    await releaseReservation(inventory, 'one', 2);
    await releaseReservation(inventory, 'one', 2);
    expect(repository.products.get('mug')).toMatchObject({ available: 6, reserved: 0 });
  });

  test('confirming twice for one payment sells once; another payment gets nothing', async () => {
    const { repository, inventory } = await reserved();
    const request = { orderId: 'one', revision: 2, paymentId: 'pay-1' };
    const sold = await confirmReservation(inventory, request);
    expect(await confirmReservation(inventory, request)).toEqual(sold);
    await expect(
      confirmReservation(inventory, { ...request, paymentId: 'pay-2' }),
    ).rejects.toBeInstanceOf(ReservationGone);
    expect(repository.products.get('mug')).toMatchObject({ available: 4, reserved: 0, sold: 2 });
  });

  test.each([1, 3])(
    'revision %i is neither extended nor confirmed where 2 is held',
    async (other) => {
      const { inventory } = await reserved();
      await expect(
        extendReservation(inventory, { orderId: 'one', revision: other, holdSeconds: 9e9 }),
      ).rejects.toBeInstanceOf(ReservationGone);
      await expect(
        confirmReservation(inventory, { orderId: 'one', revision: other, paymentId: 'pay-1' }),
      ).rejects.toBeInstanceOf(ReservationGone);
    },
  );

  test('an extension never shortens', async () => {
    const { inventory, held } = await reserved();
    const request = { orderId: 'one', revision: 2, holdSeconds: 1 };
    expect(await extendReservation(inventory, request)).toEqual(held);
  });

  test('neither an extension nor a change holds stock for longer than the maximum', async () => {
    const { clock, inventory, held } = await reserved();
    const sinceMs = clock.nowMs;
    const latest = { heldSinceMs: sinceMs, expiresAtMs: sinceMs + 4 * TTL_SECONDS * 1000 };
    const request = { orderId: 'one', revision: 2, holdSeconds: 9e9 };
    expect(await extendReservation(inventory, request)).toMatchObject(latest);
    clock.nowMs += 60_000;
    expect(await extendReservation(inventory, request)).toMatchObject(latest);
    expect(await reserve(inventory, { orderId: 'one', revision: 3, lines: [MUG] })).toMatchObject({
      heldSinceMs: sinceMs,
    });
    // Given back and taken again, it counts anew.
    await releaseReservation(inventory, 'one', 3);
    expect(await reserve(inventory, { orderId: 'one', revision: 4, lines: [MUG] })).toMatchObject({
      heldSinceMs: clock.nowMs,
    });
    expect(held).toMatchObject({ heldSinceMs: sinceMs });
  });

  test('the sweeper takes what has run out, to the millisecond, and nothing else', async () => {
    const { repository, clock, inventory } = await reserved();
    await reserve(inventory, {
      orderId: 'two',
      revision: 1,
      lines: [{ productId: 'coffee', quantity: 1 }],
    });
    await extendReservation(inventory, {
      orderId: 'two',
      revision: 1,
      holdSeconds: 2 * TTL_SECONDS,
    });
    clock.nowMs += TTL_SECONDS * 1000 - 1;
    expect(await sweep(inventory)).toBe(0);
    clock.nowMs += 1;
    expect(await sweep(inventory)).toBe(1);
    expect(await getReservation(inventory, 'one')).toMatchObject({
      status: 'RELEASED',
      because: 'EXPIRED',
      revision: 2,
    });
    expect(repository.reservations.get('two')?.status).toBe('HELD');
  });

  test('a reservation that fails to expire does not keep the others from it', async () => {
    let isFailing = true;
    const repository = stocked(
      new FakeInventoryRepository((call) =>
        call === 'commit one RELEASED' && isFailing
          ? Promise.reject(new InfrastructureUnavailable('No answer.'))
          : Promise.resolve(),
      ),
    );
    const clock = new StillClock();
    const inventory = inventoryOver(repository, clock);
    await reserve(inventory, { orderId: 'one', revision: 1, lines: [MUG] });
    await reserve(inventory, { orderId: 'two', revision: 1, lines: [MUG] });
    clock.nowMs += TTL_SECONDS * 1000;
    expect(await sweep(inventory)).toBe(1);
    expect(repository.reservations.get('two')?.status).toBe('RELEASED');
    isFailing = false;
    expect(await sweep(inventory)).toBe(1);
    expect(repository.products.get('mug')).toMatchObject({ available: 6, reserved: 0 });
  });

  test('what was never reserved is not found', async () => {
    await expect(getReservation(inventoryOver(stocked()), 'nobody')).rejects.toBeInstanceOf(
      NotFound,
    );
  });
});
