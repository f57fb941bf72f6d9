import type { NewProduct } from '../../lib/inventory/create-product.ts';
import type { Outage, Rates } from './fault-kinds.ts';

export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** User who changes products and receives stock. */
export const MANAGER = 'manager';
/** User that stands for the schedule. */
export const SCHEDULER = 'scheduler';

/** An operation without its time. Orders are named by the number of the operation that places them. */
export type Wish =
  | {
      readonly kind: 'place';
      /** Two operations with one key are one request, sent twice. */
      readonly key: string | undefined;
      readonly items: readonly Line[];
      readonly allowDuplicate: boolean;
      readonly waitSeconds: number;
    }
  | { readonly kind: 'get'; readonly order: number }
  | {
      readonly kind: 'modify';
      readonly order: number;
      readonly items: readonly Line[];
      /** Sends the last version that this user has seen. */
      readonly ifMatch: boolean;
      readonly waitSeconds: number;
    }
  | { readonly kind: 'cancel'; readonly order: number }
  | { readonly kind: 'retry order'; readonly order: number; readonly waitSeconds: number }
  | {
      readonly kind: 'pay' | 'retry payment';
      readonly order: number;
      readonly token: string;
      readonly waitSeconds: number;
    }
  | { readonly kind: 'get payment'; readonly order: number }
  | { readonly kind: 'receive'; readonly productId: string; readonly quantity: number }
  | {
      readonly kind: 'price';
      readonly productId: string;
      readonly amount: number;
      readonly currency: string;
    }
  | { readonly kind: 'offer'; readonly productId: string; readonly active: boolean }
  /** An extra round of the dispatcher or the sweeper, because rounds may overlap. */
  | { readonly kind: 'round'; readonly of: 'dispatchDueWork' | 'expireReservations' }
  /** A call about another user's order. */
  | { readonly kind: 'pry'; readonly order: number; readonly at: 'order' | 'cancel' | 'pay' };

/** One operation of one user, at a fixed time. */
export type Operation = Wish & {
  /** From 1; stays the same if other operations are omitted. */
  readonly number: number;
  readonly user: string;
  /** Time since the history began. */
  readonly atMs: number;
  /** Time that the user waits for a response before the next try. */
  readonly patienceMs: number;
  /** Maximum number of tries, all with the same key. */
  readonly tries: number;
};

/** A whole history as data: the same plan gives the same history. */
export interface Plan {
  readonly seed: number;
  readonly configuration: Readonly<Record<string, string>>;
  readonly products: readonly NewProduct[];
  readonly operations: readonly Operation[];
  /** Share of the possible effects that each fault strikes. */
  readonly rates: Rates;
  /** Labels of the only strikes that happen; if undefined, the rates decide. */
  readonly strikes?: readonly string[];
  readonly outages: readonly Outage[];
  /** Numbers of the kept parts, if the history was cut down. */
  readonly kept?: readonly number[];
  /** Tells if all reservations expire at the end. */
  readonly isLeftToExpire: boolean;
  /** Time for which faults continue after the last operation. */
  readonly faultsGoOnMs: number;
}
