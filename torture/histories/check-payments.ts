import type { Snapshot } from '../world/snapshot.ts';
import { isTaken } from './history.ts';
import type { Recorded } from './recorded.ts';

/** A payment in a response is stored for that order and amount, and ended as the response said. */
export function brokenPayments({ calls }: Recorded, { orders, payments }: Snapshot): string[] {
  return calls
    .filter((call) => (call.kind === 'pay' || call.kind === 'retry payment') && isTaken(call))
    .flatMap(({ user, body, answer }) => {
      const paymentId = answer?.body.paymentId ?? '';
      const { orderId } = body as { readonly orderId: string };
      const payment = payments.find((one) => one.paymentId === paymentId);
      const order = orders.find((one) => one.orderId === orderId);
      if (payment?.orderId !== orderId || payment.userId !== user) {
        return [`paid: ${paymentId} of ${orderId} was answered and is not there`];
      }
      const said = answer?.body.amount;
      if (said !== undefined && said.amount !== payment.amount.amount) {
        return [`paid: ${paymentId} was answered with another amount than it has`];
      }
      const isDone = order?.status === 'PAYMENT_DONE' && order.paymentId === paymentId;
      if (answer?.status === 200 && !isDone) {
        return [
          `paid: ${paymentId} was answered as done, and ${orderId} is ${String(order?.status)}`,
        ];
      }
      return answer?.status === 402 && isDone
        ? [`paid: ${paymentId} was answered as failed, and ${orderId} is paid with it`]
        : [];
    });
}

/** An order's total is the sum of its items, and its charges are of that total. */
export function brokenTotals(_recorded: Recorded, { orders, charges }: Snapshot): string[] {
  return orders.flatMap(({ orderId, items, total, status }) => {
    if (total === undefined) return [];
    const cost = items.reduce(
      (sum, { quantity, unitPrice }) => sum + quantity * (unitPrice?.amount ?? 0),
      0,
    );
    const charged = (charges.get(orderId) ?? [])
      .filter((charge) => charge.status === 'CAPTURED')
      .reduce((sum, { amount }) => sum + amount.amount, 0);
    return [
      ...(cost === total.amount
        ? []
        : [`money: ${orderId} costs ${String(total.amount)}, and its items ${String(cost)}`]),
      ...(charged === (status === 'PAYMENT_DONE' ? total.amount : 0)
        ? []
        : [
            `money: ${orderId} is ${status}, costs ${String(total.amount)}, charged ${String(charged)}`,
          ]),
    ];
  });
}
