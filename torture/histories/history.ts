import type { Wish } from './plan.ts';

/**
 * What a call came to, as its user knows it: it was done; it definitely was not; or nobody knows,
 * because no answer came, or one that says nothing (5xx).
 */
export type Outcome = 'ok' | 'fail' | 'unknown';

/** One request, as it was sent and as it was answered. */
export interface Call {
  /** The operation it belongs to: sent again, it is another call of the same one. */
  readonly operation: number;
  readonly user: string;
  readonly kind: Wish['kind'];
  readonly method: string;
  readonly path: string;
  /** With its idempotency key, if it has one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** On the world's clock; calls of one moment are told apart by their steps. */
  readonly invokedAtMs: number;
  readonly endedAtMs: number;
  /** Counts up with every call that is sent and every one that ends. */
  readonly invokedStep: number;
  readonly endedStep: number;
  readonly outcome: Outcome;
  readonly answer: Answer | undefined;
}

export interface Answer {
  readonly status: number;
  readonly isReplayed: boolean;
  /** It says when to come back. */
  readonly isForNow: boolean;
  readonly body: Document;
}

interface Money {
  readonly amount: number;
  readonly currency: string;
}

interface Change {
  readonly from: string | null;
  readonly to: string;
  readonly reason: string;
  readonly at: string;
}

/** What the checks read in the API's documents, of orders, payments, products and problems. */
export interface Document {
  readonly code?: string | null;
  readonly reason?: string | null;
  readonly orderId?: string;
  readonly paymentId?: string | null;
  readonly status?: string | number;
  readonly version?: number;
  readonly total?: Money | null;
  readonly amount?: Money;
  readonly items?: readonly { readonly productId: string; readonly quantity: number }[];
  readonly modification?: { readonly status: string } | null;
  readonly history?: readonly Change[];
}

/** Whether the first had its answer, or was given up, before the second was sent. */
export function isBefore(first: Call, second: Call): boolean {
  return first.endedStep < second.invokedStep;
}

export function keyOf(call: Call): string | undefined {
  return call.headers['idempotency-key'];
}

export function outcomeOf(status: number): Outcome {
  if (status < 300) return 'ok';
  return status < 500 ? 'fail' : 'unknown';
}

/** Problems that tell what became of a request that was taken, and are no refusal of it. */
const TAKEN: readonly string[] = [
  'MODIFICATION_REJECTED',
  'PAYMENT_DECLINED',
  'PAYMENT_FAILED',
  'ORDER_FAILED',
];

/** A placed order that is INVALID is stored as such. */
const INVALID: readonly string[] = [
  'BAD_QUANTITY',
  'OUT_OF_STOCK',
  'UNKNOWN_PRODUCT',
  'MIXED_CURRENCIES',
];

/** Whether the answer says that the request was taken, whatever came of it then. */
export function isTaken({ kind, answer, outcome }: Call): boolean {
  if (answer === undefined) return false;
  if (outcome === 'ok') return true;
  const { code } = answer.body;
  if (TAKEN.includes(code ?? '')) return true;
  return kind === 'place' && INVALID.includes(code ?? '') && answer.body.orderId !== undefined;
}

/** Whether the answer says that nothing was done, and nothing will be. */
export function isRefused(call: Call): boolean {
  return (
    call.outcome === 'fail' && !isTaken(call) && call.answer?.body.code !== 'REQUEST_IN_PROGRESS'
  );
}

/** The calls that are one request, sent again and again: they have one user, route, key and body. */
export function requestsIn(calls: readonly Call[]): Call[][] {
  const requests = new Map<string, Call[]>();
  calls.forEach((call, index) => {
    const key = keyOf(call);
    const id =
      key === undefined
        ? `keyless ${String(index)}`
        : `${call.user} ${call.kind} ${call.path} ${key} ${JSON.stringify(call.body)}`;
    const known = requests.get(id);
    if (known === undefined) requests.set(id, [call]);
    else known.push(call);
  });
  return [...requests.values()];
}
