import { DomainError } from '../platform/errors.ts';

/** A product of the order has less available stock than ordered. Final. */
export class OutOfStock extends DomainError {
  override readonly name = 'OutOfStock';
  readonly code = 'OUT_OF_STOCK';
}

/** A product of the order does not exist. Final. */
export class UnknownProduct extends DomainError {
  override readonly name = 'UnknownProduct';
  readonly code = 'UNKNOWN_PRODUCT';
}

/** A product of the order is withdrawn for now; the order may be retried later. */
export class ProductUnavailable extends DomainError {
  override readonly name = 'ProductUnavailable';
  readonly code = 'PRODUCT_UNAVAILABLE';
}

/** The products of one order are priced in different currencies. Final. */
export class MixedCurrencies extends DomainError {
  override readonly name = 'MixedCurrencies';
  readonly code = 'MIXED_CURRENCIES';
}

/** A newer revision of the order's reservation is already stored. */
export class StaleRevision extends DomainError {
  override readonly name = 'StaleRevision';
  readonly code = 'STALE_REVISION';
}

/** The reservation is definitely gone: released, expired, or sold for something else. */
export class ReservationGone extends DomainError {
  override readonly name = 'ReservationGone';
  readonly code = 'RESERVATION_GONE';
}

/** Another product has this id. */
export class ProductExists extends DomainError {
  override readonly name = 'ProductExists';
  readonly code = 'PRODUCT_EXISTS';
}

/** `If-Match` names another version of the product. */
export class ProductChanged extends DomainError {
  override readonly name = 'ProductChanged';
  readonly code = 'PRECONDITION_FAILED';
}

/** Too many writers at one product; the same request may succeed in a moment. */
export class LockContention extends DomainError {
  override readonly name = 'LockContention';
  readonly code = 'LOCK_CONTENTION';
}

/** Inventory's cache did not answer in time; the same request may succeed at once. */
export class CacheTimeout extends DomainError {
  override readonly name = 'CacheTimeout';
  readonly code = 'CACHE_TIMEOUT';
}

/** Inventory said when it will be back (`Retry-After`); no sooner than that. */
export class InventoryRestarting extends DomainError {
  override readonly name = 'InventoryRestarting';
  readonly code = 'INVENTORY_RESTARTING';
}

/** Inventory failed several times in a row; nothing is sent to it for a while. Its `cause`: the last failure. */
export class InventoryCircuitOpen extends DomainError {
  override readonly name = 'InventoryCircuitOpen';
  readonly code = 'INVENTORY_UNAVAILABLE';
}

/** Inventory failed or could not be reached. Whether the call had an effect is unknown. */
export class InventoryUnavailable extends DomainError {
  override readonly name = 'InventoryUnavailable';
  readonly code = 'INVENTORY_UNAVAILABLE';
}

/** Inventory did not answer in time. Whether the call had an effect is unknown. */
export class InventoryTimeout extends DomainError {
  override readonly name = 'InventoryTimeout';
  readonly code = 'INVENTORY_TIMEOUT';
}
