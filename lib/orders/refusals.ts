import { refusal } from '../platform/errors.ts';
import { QUANTITY_RANGE } from './order-items.ts';

/** The user placed the same items a moment ago, and that order is not done yet. */
export class DuplicateOrder extends refusal({
  name: 'DuplicateOrder',
  code: 'DUPLICATE_ORDER',
  status: 409,
  title: 'The same order was placed a moment ago',
  advice:
    'You placed the same order a moment ago. Follow it instead, or send ' +
    '"X-Allow-Duplicate: true" if you want it twice.',
  isDuplicate: true,
}) {}

/** The user sends the same items at this moment in another request, whose order is not stored yet. */
export class OrderInFlight extends refusal({
  name: 'OrderInFlight',
  code: 'ORDER_IN_FLIGHT',
  status: 409,
  title: 'The same order is being placed at this moment',
  advice:
    'Another request of yours is about to order the same. Send this one again after the time in ' +
    'Retry-After: it then names the order of that request, or is placed if that one was lost.',
  retryAfterSeconds: 1,
  isDuplicate: true,
}) {}

/** The user has as many unpaid orders that hold stock as one user may have. */
export class TooManyOpenOrders extends refusal({
  name: 'TooManyOpenOrders',
  code: 'TOO_MANY_OPEN_ORDERS',
  status: 429,
  title: 'Too many open orders',
  advice:
    'You have as many unpaid orders as one user may have. Pay or cancel one of those in "orders", ' +
    'or wait until they have expired.',
  retryAfterSeconds: 60,
}) {}

/** Paying came too late: the promise to hold the stock has run out. */
export class ReservationExpired extends refusal({
  name: 'ReservationExpired',
  code: 'RESERVATION_EXPIRED',
  status: 409,
  title: 'The reservation has expired',
  advice: 'The reservation has run out; the order is about to fail and can then be retried.',
  retryAfterSeconds: 1,
}) {}

/** An earlier payment of the order may have been captured; a new one could overlap with it. */
export class PaymentUnsettled extends refusal({
  name: 'PaymentUnsettled',
  code: 'PAYMENT_UNSETTLED',
  status: 409,
  title: 'An earlier payment is not settled yet',
  advice: 'It is not known yet if the earlier payment was captured; try again shortly.',
  retryAfterSeconds: 5,
}) {}

/** The order waits for the outcome of an earlier modification. */
export class ModificationPending extends refusal({
  name: 'ModificationPending',
  code: 'MODIFICATION_PENDING',
  status: 409,
  title: 'An earlier change is not decided yet',
  advice: 'An earlier change of this order is not decided yet; look at the order and try again.',
  retryAfterSeconds: 1,
}) {}

/** A modification was refused; the order shows the reason. */
export class ModificationRejected extends refusal({
  name: 'ModificationRejected',
  code: 'MODIFICATION_REJECTED',
  status: 409,
  title: 'The change was refused',
  advice: 'The change was not made. Look at the order for what it is now and what can be done.',
}) {}

/** A quantity is out of range. A new order is stored as INVALID, a modified one stays as it is. */
export class BadQuantity extends refusal({
  name: 'BadQuantity',
  code: 'BAD_QUANTITY',
  status: 422,
  title: 'A quantity is out of range',
  advice: `Every quantity must be ${QUANTITY_RANGE}; place the order again.`,
  isFinal: true,
}) {}

/** The order ended as ORDER_FAILED. */
export class OrderFailed extends refusal({
  name: 'OrderFailed',
  code: 'ORDER_FAILED',
  status: 503,
  title: 'The order could not be fulfilled now',
  advice:
    'Retry it later with POST /order/retryorder/{id}; where it was placed with an Idempotency-Key, ' +
    'the same request does so too.',
  retryAfterSeconds: 30,
}) {}

/** The gateway declined the payment. */
export class PaymentDeclined extends refusal({
  name: 'PaymentDeclined',
  code: 'PAYMENT_DECLINED',
  status: 402,
  title: 'The payment was declined',
  advice:
    'Nothing was charged and the stock was released. Look at the order for what can be done now.',
}) {}

/** The payment ended without money for another reason. */
export class PaymentFailed extends refusal({
  name: 'PaymentFailed',
  code: 'PAYMENT_FAILED',
  status: 402,
  title: 'The payment failed',
  advice:
    'No money is kept and the stock was released. Look at the order for what can be done now.',
}) {}
