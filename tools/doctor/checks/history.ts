import { LEGAL_MOVES } from '../../../lib/orders/moves.ts';
import { type Order, ROLES } from '../../../lib/orders/order.ts';
import { LEGAL_PAYMENT_MOVES, type Payment } from '../../../lib/payments/payment.ts';
import type { Disagreement } from '../disagreement.ts';
import type { Facts } from '../facts.ts';

interface Change {
  readonly from: string | null;
  readonly to: string;
  readonly reason: string;
  readonly at: string;
  readonly by?: string;
}

const RULE = {
  check: 'history',
  promise: 'P6',
  expected: 'a chain of legal moves, each with its reason, time and author, up to the status',
  mend: 'a person: find out who wrote it past the code (the log lines of its correlation id)',
} as const;

/** P6: each step is a legal move from the one before it, and says why, when and by whom. */
export function orderHistory(order: Order): Disagreement[] {
  const { orderId, history, status } = order;
  const found =
    brokenStep(history, LEGAL_MOVES) ??
    brokenEnd(history, status) ??
    (history.every(({ by }) => ROLES.includes(by)) ? undefined : 'a step does not say who took it');
  return found === undefined ? [] : [{ ...RULE, orderId, found }];
}

/** P6 for a payment. */
export function paymentHistory(payment: Payment, { orderId }: Facts): Disagreement[] {
  const { paymentId, history, status } = payment;
  const found = brokenStep(history, LEGAL_PAYMENT_MOVES) ?? brokenEnd(history, status);
  return found === undefined ? [] : [{ ...RULE, orderId, paymentId, found }];
}

function brokenStep(
  history: readonly Change[],
  moves: Readonly<Record<string, readonly string[]>>,
): string | undefined {
  for (const [index, { from, to, reason, at }] of history.entries()) {
    const step = `step ${String(index + 1)}, ${from ?? 'NEW'} to ${to}`;
    if (moves[from ?? 'NEW']?.includes(to) !== true) return `${step}, is no legal move`;
    if (reason === '') return `${step}, gives no reason`;
    if (!isTimestamp(at)) return `${step}, has no time`;
  }
  return undefined;
}

function brokenEnd(history: readonly Change[], status: string): string | undefined {
  const last = history.at(-1)?.to ?? 'nothing';
  return last === status ? undefined : `it ends with ${last}, the status is ${status}`;
}

function isTimestamp(at: string): boolean {
  const epochMs = Date.parse(at);
  return !Number.isNaN(epochMs) && new Date(epochMs).toISOString() === at;
}
