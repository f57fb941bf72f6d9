import { isOpen, type Payment } from '../../../lib/payments/payment.ts';
import type { Charge } from '../../../lib/payments/payment-gateway.ts';
import { assertNever } from '../../../lib/platform/errors.ts';
import type { Disagreement } from '../disagreement.ts';
import type { Facts } from '../facts.ts';
import type { Remedy } from '../remedies.ts';
import { inWords, sameMoney, statusOf } from './order-money.ts';
import { isSoldTo } from './payment-state.ts';

/** A wrong charge, and the remedy if no person has to decide. */
interface Wrong {
  readonly expected: string;
  readonly mend: string;
  readonly remedy?: Remedy;
}

/** P2: the gateway's books agree with the payment, unless the saga is about to find out. */
export function chargeStatus(payment: Payment, facts: Facts): Disagreement[] {
  if (facts.charges === undefined) return [];
  const charge = facts.charges.find(({ paymentId }) => paymentId === payment.paymentId);
  const wrong = wrongWith(payment, charge, facts.orderId);
  if (wrong === undefined) return [];
  const { orderId } = facts;
  const { paymentId } = payment;
  const { expected, mend, remedy } = wrong;
  return [
    {
      check: 'charge-status',
      promise: 'P2',
      orderId,
      paymentId,
      found: `${statusOf(payment)}, and the gateway says ${charge?.status ?? 'that nothing was charged'}`,
      expected,
      ...(remedy === undefined || isSoldTo(payment, facts)
        ? { mend: remedy === undefined ? mend : `a person: its stock is sold; otherwise: ${mend}` }
        : { mend, remedy }),
    },
  ];
}

function wrongWith(
  payment: Payment,
  charge: Charge | undefined,
  orderId: string,
): Wrong | undefined {
  const status = charge?.status;
  switch (payment.status) {
    case 'INITIATED':
    case 'PENDING':
      // The saga will find out the charge's status.
      return undefined;
    case 'CAPTURED':
      if (status === 'CAPTURED') return undefined;
      if (payment.refundOwed !== undefined && status === 'REFUNDED') return undefined;
      return {
        expected: 'a captured charge',
        mend: 'a person: the money is not there; ask the provider where it went',
      };
    case 'REFUNDED':
      if (status === 'REFUNDED') return undefined;
      return status === 'CAPTURED'
        ? {
            expected: 'a refunded charge',
            mend: 'refund it at the gateway, which does it once',
            remedy: { kind: 'REFUND_AGAIN', key: { orderId, paymentId: payment.paymentId } },
          }
        : {
            expected: 'a refunded charge',
            mend: 'a person: ask the provider what became of the money',
          };
    case 'FAILED':
    case 'DECLINED':
    case 'VOIDED':
      return wrongWithGivenUp(payment, status, orderId);
    default:
      return assertNever(payment);
  }
}

/** P2: a payment that was given up keeps no money, and no money may still come. */
function wrongWithGivenUp(
  payment: Exclude<Payment, { status: 'CAPTURED' | 'REFUNDED' }>,
  status: Charge['status'] | undefined,
  orderId: string,
): Wrong | undefined {
  // The void that is owed will find it out.
  if (payment.status === 'FAILED' && payment.voidOwed !== undefined) return undefined;
  switch (status) {
    case undefined:
    case 'DECLINED':
    case 'VOIDED':
    case 'REFUNDED':
      return undefined;
    case 'CAPTURED':
      return {
        expected: 'no money for a payment that was given up, or its refund owed',
        mend: 'record the capture, which owes its refund',
        remedy: { kind: 'RECORD_CHARGE', key: { orderId, paymentId: payment.paymentId } },
      };
    case 'PENDING':
      return {
        expected: 'a charge that can never be captured any more',
        mend: 'void it at the gateway, and refund it if that is too late',
        remedy: { kind: 'VOID_AGAIN', orderId, payment },
      };
    default:
      return assertNever(status);
  }
}

/** P2: the charge has the amount that the user last accepted, which is the payment's amount. */
export function chargeAmount(payment: Payment, { orderId, charges }: Facts): Disagreement[] {
  const charge = charges?.find(({ paymentId }) => paymentId === payment.paymentId);
  if (charge === undefined || sameMoney(charge.amount, payment.amount)) return [];
  // If no money moves, or all of it goes back, nobody is charged a wrong amount.
  const isGoingBack = payment.status === 'CAPTURED' && payment.refundOwed !== undefined;
  if (isGoingBack || charge.status === 'REFUNDED') return [];
  if (!isOpen(payment) && (charge.status === 'DECLINED' || charge.status === 'VOIDED')) return [];
  const { paymentId, amount } = payment;
  return [
    {
      check: 'charge-amount',
      promise: 'P2',
      orderId,
      paymentId,
      found: `${inWords(charge.amount)} at the gateway (${charge.status}) for a payment of ${inWords(amount)}`,
      expected: 'the amount of the payment',
      mend: 'a person: refund the difference at the provider, or all of it',
    },
  ];
}
