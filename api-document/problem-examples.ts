import { MAX_BODY_BYTES, MAX_PIECES_PER_LINE } from '../lib/limits.ts';
import { type Problem, type ProblemCode, problem } from '../lib/platform/http/problems.ts';

interface Told {
  /** Advice on the next step. */
  readonly detail: string;
  readonly instance?: string;
  readonly members?: Readonly<Record<string, unknown>>;
}

const ORDER = '/order/ord_5f0c2d9ab8f34e61a7d2c49e01';
const RESERVATION = '/inventory/reservation/ord_5f0c2d9ab8f34e61a7d2c49e01';
const ofOrder = { orderId: 'ord_5f0c2d9ab8f34e61a7d2c49e01' };
const ofPayment = { ...ofOrder, paymentId: 'pay_91b7e0d3c25a4f868e1f7a6b30' };
const ofProduct = { productId: 'prod-mug' };

const TOLD: Readonly<Record<ProblemCode, Told>> = {
  BAD_REQUEST: {
    detail: 'Correct the body: items.0.quantity: Invalid input: expected int, received number.',
    members: {
      errors: [
        { field: 'items.0.quantity', message: 'Invalid input: expected int, received number' },
      ],
    },
  },
  BODY_TOO_LARGE: { detail: `Send at most ${String(MAX_BODY_BYTES)} bytes.` },
  UNAUTHENTICATED: { detail: 'The token has expired; get a new one.' },
  BAD_SIGNATURE: {
    detail:
      'Send X-Gateway-Signature: t=<unix seconds>,v1=<hex>, where v1 is the HMAC-SHA256 of "<t>.<body>" with a current secret and t is at most 5 minutes off.',
    instance: '/payment/webhook',
  },
  MISSING_SCOPE: {
    detail: 'This needs a token with the scope products:write.',
    instance: '/product',
  },
  NOT_FOUND: {
    detail: 'You have no such order; check the id and the token you use.',
    instance: ORDER,
  },
  ILLEGAL_TRANSITION: {
    detail: 'The order is PAYMENT_DONE; that is final.',
    instance: ORDER,
    members: ofOrder,
  },
  DUPLICATE_ORDER: {
    detail:
      'You placed the same order a moment ago. Follow it instead, or send "X-Allow-Duplicate: true" if you want it twice.',
    members: { ...ofOrder, order: ORDER },
  },
  REQUEST_IN_PROGRESS: {
    detail: 'Wait for the answer of the first request, or ask again shortly.',
  },
  RESERVATION_EXPIRED: {
    detail: 'The reservation has run out; the order is about to fail and can then be retried.',
    instance: '/payment',
    members: ofOrder,
  },
  PAYMENT_UNSETTLED: {
    detail: 'The earlier payment is still being voided or refunded; try again shortly.',
    instance: '/retrypayment',
    members: ofPayment,
  },
  MODIFICATION_PENDING: {
    detail: 'An earlier change of this order is not decided yet; look at the order and try again.',
    instance: ORDER,
    members: ofOrder,
  },
  MODIFICATION_REJECTED: {
    detail: 'The order stands as it was before. Look at it, and change it again if you like.',
    instance: ORDER,
    members: { ...ofOrder, reason: 'OUT_OF_STOCK' },
  },
  PRODUCT_EXISTS: {
    detail: 'There is a product prod-mug already; change it, or choose another id.',
    instance: '/product',
    members: ofProduct,
  },
  CONCURRENT_UPDATE: {
    detail: 'The order was changed meanwhile; look at it and try again.',
    instance: ORDER,
  },
  STALE_REVISION: {
    detail: 'A newer revision of this reservation is already stored.',
    instance: RESERVATION,
  },
  PRECONDITION_FAILED: {
    detail: 'The order has changed since you read it; read it again and decide anew.',
    instance: ORDER,
    members: { ...ofOrder, version: 4 },
  },
  RESERVATION_GONE: {
    detail: 'Nothing is reserved for this order at this revision any more.',
    instance: RESERVATION,
  },
  IDEMPOTENCY_CONFLICT: {
    detail: 'This Idempotency-Key was used for a request with another content; use a new key.',
  },
  BAD_QUANTITY: {
    detail: `Every quantity must be a whole number from 1 to ${String(MAX_PIECES_PER_LINE)}; place the order again.`,
    members: ofOrder,
  },
  OUT_OF_STOCK: {
    detail: 'There is not enough in stock; see GET /product and order fewer.',
    members: ofOrder,
  },
  UNKNOWN_PRODUCT: {
    detail: 'A product of the order does not exist; see GET /product.',
    members: ofOrder,
  },
  PRODUCT_UNAVAILABLE: {
    detail: 'prod-retired is not on sale at the moment; leave it out.',
    instance: ORDER,
    members: { productId: 'prod-retired' },
  },
  MIXED_CURRENCIES: {
    detail: 'The products are priced in different currencies; order them separately.',
    members: ofOrder,
  },
  ORDER_FAILED: {
    detail:
      'Retry it later with POST /order/retryorder/{id}; where it was placed with an Idempotency-Key, the same request does so too.',
    members: { ...ofOrder, reason: 'PRODUCT_UNAVAILABLE' },
  },
  PAYMENT_DECLINED: {
    detail:
      'Nothing was charged and the stock was released. Look at the order for what can be done now.',
    instance: '/payment',
    members: { ...ofPayment, paymentStatus: 'DECLINED', reason: 'INSUFFICIENT_FUNDS' },
  },
  PAYMENT_FAILED: {
    detail:
      'No money is kept and the stock was released. Look at the order for what can be done now.',
    instance: '/payment',
    members: { ...ofPayment, paymentStatus: 'FAILED', reason: 'PAYMENT_UNCONFIRMED' },
  },
  TEMPORARILY_UNAVAILABLE: { detail: 'The database did not answer; try again.' },
  INVENTORY_UNAVAILABLE: { detail: 'Inventory could not be reached; try again.', instance: ORDER },
  INVENTORY_TIMEOUT: {
    detail: 'Inventory did not answer in time; try again.',
    instance: ORDER,
  },
  INVENTORY_RESTARTING: { detail: 'Inventory asked to come back later.', instance: ORDER },
  LOCK_CONTENTION: {
    detail: 'Many orders want the same product right now; try again.',
    instance: RESERVATION,
  },
  CACHE_TIMEOUT: { detail: 'The cache did not answer in time; try again.', instance: ORDER },
  INTERNAL_ERROR: {
    detail:
      'Send the same request with the same Idempotency-Key again; nothing is done twice. If it persists, report the X-Correlation-Id.',
  },
};

/** A problem as a caller sees it, with the advice on the next step. */
export function problemExample(code: ProblemCode): Problem {
  const { detail, instance = '/order', members } = TOLD[code];
  return problem(code, detail, instance, members);
}
