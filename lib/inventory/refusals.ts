import { type DomainError, type Facts, type RefusalClass, refusal } from '../platform/errors.ts';

/** A product of the order has less available stock than ordered. */
export class OutOfStock extends refusal({
  name: 'OutOfStock',
  code: 'OUT_OF_STOCK',
  status: 422,
  title: 'Not enough in stock',
  advice: 'There is not enough in stock; see GET /product and order fewer.',
  isFinal: true,
}) {}

/** One order asks for more pieces of a product than one order may have, however many there are. */
export class TooManyPieces extends refusal({
  name: 'TooManyPieces',
  code: 'TOO_MANY_PIECES',
  status: 422,
  title: 'More pieces than one order may have',
  advice: 'One order may not have so many pieces of a product; see "maxPerOrder" in GET /product.',
  isFinal: true,
}) {}

/** A product of the order does not exist. */
export class UnknownProduct extends refusal({
  name: 'UnknownProduct',
  code: 'UNKNOWN_PRODUCT',
  status: 422,
  title: 'No such product',
  advice: 'A product of the order does not exist; see GET /product.',
  isFinal: true,
}) {}

/** The products of one order are priced in different currencies. */
export class MixedCurrencies extends refusal({
  name: 'MixedCurrencies',
  code: 'MIXED_CURRENCIES',
  status: 422,
  title: 'Different currencies in one order',
  advice: 'The products are priced in different currencies; order them separately.',
  isFinal: true,
}) {}

/** A product of the order is withdrawn for now; the order may be retried later. */
export class ProductUnavailable extends refusal({
  name: 'ProductUnavailable',
  code: 'PRODUCT_UNAVAILABLE',
  status: 409,
  title: 'The product is not on sale at the moment',
  retryAfterSeconds: 30,
}) {}

/** A newer revision of the order's reservation is already stored. */
export class StaleRevision extends refusal({
  name: 'StaleRevision',
  code: 'STALE_REVISION',
  status: 409,
  title: 'A newer revision is stored',
  advice: 'A newer revision of this reservation is already stored.',
}) {}

/** The reservation is definitely gone: released, expired, or sold for something else. */
export class ReservationGone extends refusal({
  name: 'ReservationGone',
  code: 'RESERVATION_GONE',
  status: 410,
  title: 'The reservation is gone',
  advice: 'Nothing is reserved for this order at this revision any more.',
}) {}

/** Another product has this id. */
export class ProductExists extends refusal({
  name: 'ProductExists',
  code: 'PRODUCT_EXISTS',
  status: 409,
  title: 'The product id is taken',
}) {}

/** Too many writers at one product; the same request may succeed in a moment. */
export class LockContention extends refusal({
  name: 'LockContention',
  code: 'LOCK_CONTENTION',
  status: 503,
  title: 'Too much contention at a product',
  advice: 'Many orders want the same product right now; try again.',
}) {}

/** Inventory's cache did not answer in time; the same request may succeed at once. */
export class CacheTimeout extends refusal({
  name: 'CacheTimeout',
  code: 'CACHE_TIMEOUT',
  status: 503,
  title: 'The cache did not answer in time',
  advice: 'The cache did not answer in time; try again.',
}) {}

/** Inventory said when it will be back (`Retry-After`); a call before then fails, too. */
export class InventoryRestarting extends refusal({
  name: 'InventoryRestarting',
  code: 'INVENTORY_RESTARTING',
  status: 503,
  title: 'Inventory is restarting',
  advice: 'Inventory is restarting; try again after the time in Retry-After.',
}) {}

/** Inventory failed or could not be reached. The effect of the call is unknown. */
export class InventoryUnavailable extends refusal({
  name: 'InventoryUnavailable',
  code: 'INVENTORY_UNAVAILABLE',
  status: 503,
  title: 'Inventory is not available',
  advice: 'Inventory could not be reached; try again.',
}) {}

/** Too many calls to Inventory failed; for a while nothing is sent to it. Its `cause`: the last failure. */
export class InventoryCircuitOpen extends refusal({
  ...InventoryUnavailable.refusal,
  name: 'InventoryCircuitOpen',
  advice: 'Inventory is temporarily unavailable; retry after the time in Retry-After.',
}) {}

/** Inventory did not answer in time. The effect of the call is unknown. */
export class InventoryTimeout extends refusal({
  name: 'InventoryTimeout',
  code: 'INVENTORY_TIMEOUT',
  status: 503,
  title: 'Inventory did not answer in time',
  advice: 'Inventory did not answer in time; try again.',
}) {}

/** Inventory, or its Lambda function, gets more calls than it takes (429). It works: this is overload, no outage. */
export class InventoryThrottled extends refusal({
  ...InventoryUnavailable.refusal,
  name: 'InventoryThrottled',
  advice: 'Inventory has too much to do right now; try again.',
}) {}

/**
 * The refusal of an order that is to have `quantity` of a product, of which it takes `taken` anew; undefined if it
 * may. For all that is said about a product before its stock is moved.
 */
export function refusalOfPieces(
  {
    productId,
    active,
    available,
    maxPerOrder,
  }: {
    readonly productId: string;
    readonly active: boolean;
    readonly available: number;
    readonly maxPerOrder: number;
  },
  quantity: number,
  taken: number,
  about: Facts = {},
): DomainError | undefined {
  if (quantity > maxPerOrder) {
    return new TooManyPieces(
      `One order may have at most ${String(maxPerOrder)} of ${productId}; order fewer.`,
      { details: { ...about, productId, maxPerOrder } },
    );
  }
  if (!active) {
    return new ProductUnavailable(
      `${productId} is not on sale at the moment; retry later, or leave it out.`,
      { details: { ...about, productId } },
    );
  }
  return available >= taken
    ? undefined
    : new OutOfStock(`Only ${String(available)} of ${productId} can be ordered; order fewer.`, {
        details: { ...about, productId, available },
      });
}

/**
 * Inventory refused this one call for no reason that its callers know, or its answer has another shape: a bug. It says
 * nothing about other calls, and a retry gets the same answer.
 */
export class InventoryMisunderstood extends refusal({
  ...InventoryUnavailable.refusal,
  name: 'InventoryMisunderstood',
  advice:
    'Inventory and this service misunderstood each other; the people who run the shop are told.',
}) {}

/** Answers by which the Inventory Service refuses a reservation; a retry gets the same answer. */
export const RESERVATION_REFUSALS = [
  OutOfStock,
  TooManyPieces,
  UnknownProduct,
  MixedCurrencies,
  ProductUnavailable,
  StaleRevision,
  ReservationGone,
] as const satisfies readonly RefusalClass[];

/** Answers by which the Inventory Service asks for another try. */
export const CONTENTION_REFUSALS = [
  LockContention,
  CacheTimeout,
] as const satisfies readonly RefusalClass[];

/** Failures of Inventory after which the same call may succeed later: no answer, or one that asks for another try. */
export const PASSING_FAILURES = [
  InventoryRestarting,
  InventoryUnavailable,
  InventoryCircuitOpen,
  InventoryTimeout,
  InventoryThrottled,
  ...CONTENTION_REFUSALS,
] as const satisfies readonly RefusalClass[];
