import { ProductUnavailable, RESERVATION_REFUSALS } from '../../inventory/refusals.ts';
import { MAX_MODIFICATIONS_PER_ORDER, MAX_USER_RUNS_PER_ORDER } from '../../limits.ts';
import { codeOf, isOpen, type Payment } from '../../payments/payment.ts';
import { toTimestamp } from '../../platform/clock.ts';
import { assertNever, type DomainError, type RefusalClass } from '../../platform/errors.ts';
import { etagOf } from '../../platform/http/answer-headers.ts';
import { explainRefusal } from '../explain-refusal.ts';
import { LEGAL_MOVES } from '../moves.ts';
import type { Order, OrderFailedOrder, OrderStatus } from '../order.ts';
import { currentPayment, isCurrentPayment, refundsOf } from '../order-payments.ts';
import type { OrderService } from '../order-service.ts';
import { ownedOrder } from '../order-service.ts';
import { type PaymentInOrder, paymentInOrder } from '../payment-outcomes.ts';
import {
  BadQuantity,
  ModificationRejected,
  OrderFailed,
  PaymentDeclined,
  PaymentFailed,
} from '../refusals.ts';
import { shownRefusal } from '../refused-product.ts';
import { ClientWait } from './client-wait.ts';
import type { OrderDocument, PaymentDocument } from './response-schemas.ts';

/** Pause before the next look at an order or payment that is still under way, if nothing is known about it. */
const LOOK_AGAIN_SECONDS = 1;

/** Refusals that an INVALID order may name as its reason. */
const REASONS: readonly RefusalClass[] = [BadQuantity, ...RESERVATION_REFUSALS];

/** Statuses of an order whose stock is not decided yet. */
const UNDECIDED: readonly OrderStatus[] = ['CREATED', 'PENDING_RESERVING_STOCK'];

/** The order as the API shows it; absent values are `null`. */
export function toOrderDocument(service: OrderService, order: Order): OrderDocument {
  const isPayable =
    order.status === 'PENDING_PAYMENT' && service.clock.now() < order.reservationExpiresAtMs;
  const paymentUrl = service.config.PAYMENT_PAGE_URL.replace('{orderId}', order.orderId);
  const items: OrderDocument['items'] = [];
  for (const { productId, quantity, unitPrice } of order.items) {
    items.push({ productId, quantity, unitPrice: unitPrice ?? null });
  }
  return {
    orderId: order.orderId,
    status: order.status,
    reason: 'reason' in order ? order.reason : null,
    version: order.version,
    items,
    total: order.total ?? null,
    reservationExpiresAt:
      'reservationExpiresAtMs' in order ? toTimestamp(order.reservationExpiresAtMs) : null,
    paymentUrl: isPayable ? paymentUrl : null,
    paymentId: currentPayment(order)?.paymentId ?? null,
    modification:
      order.modification === undefined
        ? null
        : {
            status: order.modification.status,
            code: 'code' in order.modification ? order.modification.code : null,
          },
    refused: shownProduct(order),
    refunds: refundsOf(order),
    history: [...order.history],
    waiting: waitingOf(order, service.clock.now()),
    createdAt: toTimestamp(order.createdAtMs),
    links: linksOf(order, isPayable),
  };
}

/** The outage that the order waits out, if there is one; nothing is sent before its pause is over. */
function waitingOf(order: Order, nowMs: number): OrderDocument['waiting'] {
  if (order.status !== 'PENDING_RESERVING_STOCK' || order.outage === undefined) return null;
  const { sinceMs, notBeforeMs } = order.outage;
  const retryAfterSeconds = Math.max(1, Math.ceil((notBeforeMs - nowMs) / 1000));
  return { for: 'INVENTORY', since: toTimestamp(sinceMs), retryAfterSeconds };
}

/** `Retry-After` of an order that is still under way. */
function lookAgain({ waiting }: OrderDocument) {
  return { 'Retry-After': String(waiting?.retryAfterSeconds ?? LOOK_AGAIN_SECONDS) };
}

function shownProduct(order: Order): OrderDocument['refused'] {
  const refused = shownRefusal(order);
  if (refused === undefined) return null;
  const { productId, available = null, maxPerOrder = null } = refused;
  return { productId, available, maxPerOrder };
}

/** The calls that the order's present status allows. */
function linksOf(order: Order, isPayable: boolean): OrderDocument['links'] {
  const { orderId, status } = order;
  const paymentId = currentPayment(order)?.paymentId;
  const isModifiable =
    isPayable ||
    status === 'PAYMENT_FAILED' ||
    (status === 'PAYMENT_IN_PROGRESS' && order.modification?.status !== 'PENDING');
  const mayChange = isModifiable && order.modifications < MAX_MODIFICATIONS_PER_ORDER;
  const allowed: readonly OrderStatus[] = LEGAL_MOVES[status];
  const mayCancel = allowed.includes('ORDER_CANCELLED');
  const mayRunAgain = order.run < MAX_USER_RUNS_PER_ORDER;
  const href = `/order/${orderId}`;
  return {
    self: { method: 'GET', href },
    ...(isPayable ? { pay: { method: 'POST', href: '/payment' } } : {}),
    ...(mayChange ? { modify: { method: 'PUT', href } } : {}),
    ...(mayCancel ? { cancel: { method: 'POST', href: `/order/cancelorder/${orderId}` } } : {}),
    ...(status === 'ORDER_FAILED' && mayRunAgain
      ? { retryOrder: { method: 'POST', href: `/order/retryorder/${orderId}` } }
      : {}),
    ...(status === 'PAYMENT_FAILED' && mayRunAgain
      ? { retryPayment: { method: 'POST', href: '/retrypayment' } }
      : {}),
    ...(paymentId === undefined
      ? {}
      : { payment: { method: 'GET', href: `/payment/${paymentId}` } }),
  };
}

/** The payment as the API shows it, without its method. */
export function toPaymentDocument(orderId: string, payment: Payment): PaymentDocument {
  return {
    paymentId: payment.paymentId,
    orderId,
    attempt: payment.attempt,
    amount: payment.amount,
    status: payment.status,
    code: codeOf(payment),
    history: [...payment.history],
    createdAt: toTimestamp(payment.createdAtMs),
    links: {
      self: { method: 'GET', href: `/payment/${payment.paymentId}` },
      order: { method: 'GET', href: `/order/${orderId}` },
    },
  };
}

/**
 * The answer to placing or retrying an order, once its stock is decided or the wait is over: 201 if it can
 * be paid, else 202.
 * @throws the refusal named by the reason of an INVALID order (422); ProductUnavailable (409) or OrderFailed (503) if
 * the order failed.
 */
export async function orderAnswer(service: OrderService, placed: Order, waitSeconds: number) {
  const { orderId } = placed;
  const wait = new ClientWait(service, waitSeconds);
  let order = placed;
  while (UNDECIDED.includes(order.status) && (await wait.pause())) {
    order = await ownedOrder(service, orderId, placed.userId);
  }
  if (order.status === 'INVALID') {
    const { reason } = order;
    const Reason = REASONS.find(({ refusal }) => refusal.code === reason);
    if (Reason === undefined) throw new Error(`No refusal has the code ${reason}.`);
    const advice = Reason.refusal.advice ?? 'Place another order.';
    const { detail, details } = await refusalOf(service, order, reason, advice);
    throw new Reason(detail, { details });
  }
  if (order.status === 'ORDER_FAILED') throw await orderFailed(service, order);
  const body = toOrderDocument(service, order);
  return {
    status: order.status === 'PENDING_PAYMENT' ? 201 : 202,
    headers: {
      Location: `/order/${orderId}`,
      ETag: etagOf(order),
      ...(UNDECIDED.includes(order.status) ? lookAgain(body) : {}),
    },
    body,
  };
}

/** A withdrawn product is no failure of the service, which a load balancer should see or an alarm count. */
async function orderFailed(service: OrderService, order: OrderFailedOrder): Promise<DomainError> {
  const { reason } = order;
  const { detail, details } = await refusalOf(service, order, reason);
  const isWithdrawn = reason === ProductUnavailable.refusal.code;
  const Failed = isWithdrawn ? ProductUnavailable : OrderFailed;
  return new Failed(`${detail} ${OrderFailed.refusal.advice}`.trim(), {
    details: { ...details, reason },
  });
}

/** Words and facts of the product because of which it failed with this code; `otherwise` if not because of one. */
async function refusalOf(service: OrderService, order: Order, code: string, otherwise = '') {
  const { orderId, refused } = order;
  // It may be about an earlier change.
  return refused?.code === code
    ? explainRefusal(service, order, refused)
    : { detail: otherwise, details: { orderId } };
}

/**
 * True if the order of an earlier answer has failed since. The same request with the same key then
 * runs the order again instead of repeating that answer.
 */
export async function hasFailed(service: OrderService, body: unknown): Promise<boolean> {
  const { orderId } = body as { readonly orderId?: string };
  const order = orderId === undefined ? undefined : await service.orders.getOrder(orderId);
  return order?.status === 'ORDER_FAILED';
}

/**
 * The answer to modifying an order, once that is decided or the wait is over: 202 while it is not decided,
 * else 200 with the order.
 * @throws ModificationRejected (409); OrderFailed (503) if the order failed meanwhile.
 */
export async function modificationAnswer(
  service: OrderService,
  modified: Order,
  waitSeconds: number,
) {
  const { orderId, userId } = modified;
  const wait = new ClientWait(service, waitSeconds);
  let order = modified;
  while (!isModificationDecided(order)) {
    if (!(await wait.pause())) {
      const { headers, body } = currentOrderAnswer(service, order);
      return { status: 202, headers: { ...headers, ...lookAgain(body) }, body };
    }
    order = await ownedOrder(service, orderId, userId);
  }
  if (order.status === 'ORDER_FAILED') throw await orderFailed(service, order);
  if (order.modification?.status === 'REJECTED') {
    const { detail, details } = await refusalOf(service, order, order.modification.code);
    throw new ModificationRejected(`${detail} ${ModificationRejected.refusal.advice}`.trim(), {
      details: { ...details, reason: order.modification.code },
    });
  }
  return currentOrderAnswer(service, order);
}

function isModificationDecided(order: Order): boolean {
  return order.status !== 'PENDING_RESERVING_STOCK' && order.modification?.status !== 'PENDING';
}

/** The order as it is now. */
export function currentOrderAnswer(service: OrderService, order: Order) {
  return {
    status: 200,
    headers: { ETag: etagOf(order) },
    body: toOrderDocument(service, order),
  };
}

/** A voided payment of an order that is modified meanwhile has its outcome already. */
function isUnderWay({ order, payment }: PaymentInOrder): boolean {
  const orderWaits =
    order.status === 'PAYMENT_IN_PROGRESS' && isCurrentPayment(order, payment.paymentId);
  return isOpen(payment) || orderWaits;
}

/**
 * The answer to paying, once the payment is settled or the wait is over: 200 if the money is captured and
 * the order is done, 202 while an outcome, the confirmation or the roll-back is still to come.
 * @throws PaymentDeclined, PaymentFailed (402)
 */
export async function paymentAnswer(
  service: OrderService,
  started: PaymentInOrder,
  waitSeconds: number,
) {
  const { orderId } = started.order;
  const { paymentId } = started.payment;
  const wait = new ClientWait(service, waitSeconds);
  let found = started;
  while (isUnderWay(found) && (await wait.pause())) {
    found = await paymentInOrder(service, { orderId, paymentId });
  }
  const { payment } = found;
  const body = toPaymentDocument(orderId, payment);
  const headers = { Location: `/payment/${paymentId}` };
  if (isOpen(payment) || isUnderWay(found)) {
    const retryAfter = { 'Retry-After': String(LOOK_AGAIN_SECONDS) };
    return { status: 202, headers: { ...headers, ...retryAfter }, body };
  }
  const details = { orderId, paymentId, paymentStatus: payment.status, reason: body.code };
  switch (payment.status) {
    case 'CAPTURED':
      if (payment.refundOwed === undefined) return { status: 200, headers, body };
      throw new PaymentFailed(PaymentFailed.refusal.advice, { details });
    case 'DECLINED':
      throw new PaymentDeclined(PaymentDeclined.refusal.advice, { details });
    case 'VOIDED':
    case 'REFUNDED':
    case 'FAILED':
      throw new PaymentFailed(PaymentFailed.refusal.advice, { details });
    default:
      return assertNever(payment);
  }
}
