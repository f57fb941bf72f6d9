import type { Snapshot } from '../world/snapshot.ts';
import { type Call, type Document, isBefore } from './history.ts';
import type { Recorded } from './recorded.ts';

/** A read of an order or a payment, straight from the table. */
interface Look {
  readonly call: Call;
  readonly id: string;
  readonly document: Document;
}

/** Excludes replayed responses, which show an earlier state, and problems, which show almost none. */
function looksIn(calls: readonly Call[]): Look[] {
  return calls.flatMap((call) => {
    const { answer } = call;
    const document = answer?.body;
    if (call.outcome !== 'ok' || answer?.isReplayed !== false || document?.history === undefined)
      return [];
    const id = call.path.includes('payment') ? document.paymentId : document.orderId;
    return typeof id === 'string' ? [{ call, id, document }] : [];
  });
}

/** Successive reads of an order by its user never go backwards. */
export function backwardReads({ calls }: Recorded): string[] {
  const looks = looksIn(calls);
  return looks.flatMap((later) =>
    looks
      .filter(
        ({ call, id, document }) =>
          id === later.id &&
          isBefore(call, later.call) &&
          ((document.version ?? 0) > (later.document.version ?? 0) ||
            (document.history?.length ?? 0) > (later.document.history?.length ?? 0)),
      )
      .map(({ call }) => `read: ${later.id} goes back between ${at(call)} and ${at(later.call)}`),
  );
}

/** One version of an order is one thing to see: what its user reads at the same version is the same. */
export function differingVersions({ calls }: Recorded): string[] {
  const first = new Map<string, string>();
  return looksIn(calls).flatMap(({ call, id, document }) => {
    const { version, status, reason, items, total, paymentId, modification } = document;
    if (version === undefined) return [];
    const { history, refunds } = document;
    const facts = [status, reason, items, total, paymentId, modification, history, refunds];
    const shown = JSON.stringify(facts);
    const key = `${id} at version ${String(version)}`;
    const before = first.get(key) ?? shown;
    first.set(key, before);
    return before === shown ? [] : [`read: ${key} was shown otherwise at ${at(call)}`];
  });
}

/** Each refund that an order shows was made: its payment is REFUNDED, with that amount. */
export function inventedRefunds({ calls }: Recorded, { payments }: Snapshot): string[] {
  return looksIn(calls).flatMap(({ call, id, document: { refunds = [] } }) =>
    refunds
      .filter(({ paymentId, amount }) => {
        const payment = payments.find((one) => one.paymentId === paymentId);
        return (
          payment?.orderId !== id ||
          payment.status !== 'REFUNDED' ||
          payment.amount.amount !== amount.amount
        );
      })
      .map(({ paymentId }) => `read: ${id} was shown a refund of ${paymentId} at ${at(call)}`),
  );
}

/** Each status shown to a user is in the stored history, after the same predecessors. */
export function inventedReads({ calls }: Recorded, { orders, payments }: Snapshot): string[] {
  const histories = new Map<string, readonly { readonly to: string; readonly at: string }[]>([
    ...orders.map(({ orderId, history }) => [orderId, history] as const),
    ...payments.map(({ paymentId, history }) => [paymentId, history] as const),
  ]);
  return looksIn(calls).flatMap(({ call, id, document: { status, history = [] } }) => {
    const stored = histories.get(id) ?? [];
    const isPrefix = history.every(({ to, at: time }, index) => {
      const step = stored[index];
      return step?.to === to && step.at === time;
    });
    return isPrefix && history.at(-1)?.to === status
      ? []
      : [`read: ${id} was shown ${String(status)} at ${at(call)}, which it never was`];
  });
}

/** Users see their own orders from the first response on, and never those of others. */
export function wrongVisibility({ calls }: Recorded): string[] {
  return calls.flatMap((call) => {
    const { kind, user, path, answer } = call;
    if (answer === undefined) return [];
    if (kind === 'pry') {
      const { status, body } = answer;
      return status === 404 || status >= 500 || body.code === 'REQUEST_IN_PROGRESS'
        ? []
        : [`private: ${user} was answered ${String(answer.status)} at ${path}, another's order`];
    }
    const isKnown = kind !== 'receive' && kind !== 'price' && kind !== 'offer';
    return isKnown && answer.status === 404 ? [`lost: ${user} was answered 404 at ${path}`] : [];
  });
}

/** Unexpected errors. If a function dies, API Gateway answers 502. */
export function unmappedErrors({ calls }: Recorded): string[] {
  return calls
    .filter(({ answer }) => answer?.status === 500)
    .map(({ user, kind }) => `error: ${user}'s ${kind} was answered 500`);
}

function at({ invokedAtMs }: Call): string {
  return new Date(invokedAtMs).toISOString();
}
