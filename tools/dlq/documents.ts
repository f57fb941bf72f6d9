import type { Order } from '../../lib/orders/order.ts';
import { ownDueMs } from '../../lib/orders/order-due.ts';
import type { Redrive, Stored } from '../../lib/orders/recovery/redrive.ts';
import { codeOf, owesGateway, type Payment, paymentDueMs } from '../../lib/payments/payment.ts';
import { toTimestamp } from '../../lib/platform/clock.ts';
import { parseJson } from '../../lib/platform/parse-json.ts';
import type { HeldLetter } from './held-letters.ts';
import { wordsFor } from './words.ts';

/** Newest history entries of an order that are shown. */
const HISTORY_TAIL = 8;

/** Facts of a letter, as `--json` shows them; `null` if a fact is not known. */
export interface LetterFactsDocument {
  readonly id: string;
  readonly queue: string;
  readonly since: string;
  readonly orderId: string | null;
  readonly run: number | null;
  readonly step: string | null;
  readonly error: string | null;
  readonly correlationId: string | null;
}

export interface LetterDocument extends LetterFactsDocument {
  readonly redrive: { readonly action: Redrive['action']; readonly words: string };
}

export interface LetterInDetail extends LetterDocument {
  /** Parsed if the message is JSON, otherwise the text. */
  readonly message: unknown;
  readonly order: OrderInBrief | null;
  readonly payment: PaymentInBrief | null;
}

interface OrderInBrief {
  readonly orderId: string;
  readonly status: string;
  readonly reason: string | null;
  readonly run: number;
  readonly revision: number;
  /** Time of its next move or release. */
  readonly dueAt: string | null;
  readonly owesStock: boolean;
  readonly history: Order['history'];
}

interface PaymentInBrief {
  readonly paymentId: string;
  readonly status: string;
  readonly code: string | null;
  readonly dueAt: string | null;
  readonly owesGateway: boolean;
}

export function toLetterDocument(held: HeldLetter, redrive: Redrive): LetterDocument {
  return {
    ...toLetterFacts(held),
    redrive: { action: redrive.action, words: wordsFor(redrive) },
  };
}

export function toLetterFacts(held: HeldLetter): LetterFactsDocument {
  const { letter } = held;
  const orderId =
    letter.kind === 'ACKNOWLEDGEMENT' ? letter.acknowledgement.orderId : letter.orderId;
  return {
    id: held.id,
    queue: held.queue,
    since: held.since,
    orderId: orderId ?? null,
    run: letter.run ?? null,
    step: letter.step ?? null,
    error: letter.error ?? null,
    correlationId: letter.correlationId ?? null,
  };
}

/** Picks the fields to show. The stored items also hold task tokens and payment method tokens, which never appear. */
export function toLetterInDetail(
  held: HeldLetter,
  redrive: Redrive,
  { order, payment }: Stored,
): LetterInDetail {
  return {
    ...toLetterDocument(held, redrive),
    message: parseJson(held.body) ?? held.body,
    order: order === undefined ? null : toOrderInBrief(order),
    payment: payment === undefined ? null : toPaymentInBrief(payment),
  };
}

function toOrderInBrief(order: Order): OrderInBrief {
  return {
    orderId: order.orderId,
    status: order.status,
    reason: 'reason' in order ? order.reason : null,
    run: order.run,
    revision: order.revision,
    dueAt: timestampOf(ownDueMs(order)),
    owesStock: 'releaseOwed' in order,
    history: order.history.slice(-HISTORY_TAIL),
  };
}

function toPaymentInBrief(payment: Payment): PaymentInBrief {
  return {
    paymentId: payment.paymentId,
    status: payment.status,
    code: codeOf(payment),
    dueAt: timestampOf(paymentDueMs(payment)),
    owesGateway: owesGateway(payment),
  };
}

function timestampOf(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : toTimestamp(timeMs);
}
