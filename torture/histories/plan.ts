import type { NewProduct } from '../../lib/inventory/create-product.ts';
import type { Outage, Rates } from './fault-kinds.ts';

export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** Who may change products and receive stock. */
export const MANAGER = 'manager';
/** Who runs what is scheduled. */
export const SCHEDULER = 'scheduler';

/** What a user wants. Orders are named by the number of the operation that places them. */
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
      /** Sends the version that this user has seen last. */
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
  /** The dispatcher, or the sweeper, once more: nobody promises that only one of each runs at a time. */
  | { readonly kind: 'round'; readonly of: 'dispatchDueWork' | 'expireReservations' }
  /** Somebody else's order. */
  | { readonly kind: 'pry'; readonly order: number; readonly at: 'order' | 'cancel' | 'pay' };

/** One thing that one user does, at a time of its own, whatever else is under way then. */
export type Operation = Wish & {
  /** From 1; kept when others are left out. */
  readonly number: number;
  readonly user: string;
  /** From the beginning of the history. */
  readonly atMs: number;
  /** How long the user waits for an answer before sending the same request again. */
  readonly patienceMs: number;
  /** How often it is sent at most, always with the same key. */
  readonly tries: number;
};

/** Everything that happens in a history, as data: the same plan is the same history. */
export interface Plan {
  readonly seed: number;
  readonly configuration: Readonly<Record<string, string>>;
  readonly products: readonly NewProduct[];
  readonly operations: readonly Operation[];
  /** How often each fault strikes what it can strike. */
  readonly rates: Rates;
  /** Only these strikes happen, by their labels; whatever the rates draw where undefined. */
  readonly strikes?: readonly string[];
  readonly outages: readonly Outage[];
  /** Of a history that was cut down: what was kept of it, by the numbers of its parts. */
  readonly kept?: readonly number[];
  /** Whether at the end the time of all reservations runs out, too. */
  readonly isLeftToExpire: boolean;
  /** Faults go on for so long after the last operation is over. */
  readonly faultsGoOnMs: number;
}
