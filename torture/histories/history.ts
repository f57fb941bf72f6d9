import type { Wish } from './plan.ts';

/** Outcome of a call as its user knows it. `unknown`: no response came, or a 5xx. */
export type Outcome = 'ok' | 'fail' | 'unknown';

/** One request and its response. */
export interface Call {
  /** Number of its operation; retries belong to the same operation. */
  readonly operation: number;
  readonly user: string;
  readonly kind: Wish['kind'];
  readonly method: string;
  readonly path: string;
  /** Includes the idempotency key, if there is one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Time of the world's clock; `invokedStep` orders calls of the same moment. */
  readonly invokedAtMs: number;
  readonly endedAtMs: number;
  /** Increases with every call that begins or ends. */
  readonly invokedStep: number;
  readonly endedStep: number;
  readonly outcome: Outcome;
  readonly answer: Answer | undefined;
}

export interface Answer {
  readonly status: number;
  readonly isReplayed: boolean;
  /** The response has a Retry-After header. */
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

/** Fields of the API's documents (orders, payments, products, problems) that the checks read. */
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
  readonly refunds?: readonly { readonly paymentId: string; readonly amount: Money }[];
}

/** Tells if the first call ended before the second began. */
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

/** Problems that report the outcome of an accepted request. */
const TAKEN: readonly string[] = [
  'MODIFICATION_REJECTED',
  'PAYMENT_DECLINED',
  'PAYMENT_FAILED',
  'ORDER_FAILED',
];

/** Problems of a new order that is stored as INVALID. */
const INVALID: readonly string[] = [
  'BAD_QUANTITY',
  'OUT_OF_STOCK',
  'UNKNOWN_PRODUCT',
  'MIXED_CURRENCIES',
];

/** The order is stored as ORDER_FAILED: its product was withdrawn. */
const WITHDRAWN = 'PRODUCT_UNAVAILABLE';

/** Tells if the response shows that the service accepted the request, even if it failed later. */
export function isTaken({ kind, answer, outcome }: Call): boolean {
  if (answer === undefined) return false;
  if (outcome === 'ok') return true;
  const { code, orderId } = answer.body;
  if (TAKEN.includes(code ?? '')) return true;
  if (orderId === undefined) return false;
  if (code === WITHDRAWN) return kind === 'place' || kind === 'retry order';
  return kind === 'place' && INVALID.includes(code ?? '');
}

/** Tells if the response shows that nothing was done, now or later. */
export function isRefused(call: Call): boolean {
  return (
    call.outcome === 'fail' && !isTaken(call) && call.answer?.body.code !== 'REQUEST_IN_PROGRESS'
  );
}

/** Groups calls into requests: retries share user, route, key and body. */
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
