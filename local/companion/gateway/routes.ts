import { z } from 'zod';
import { assertNever } from '../../../lib/platform/errors.ts';
import type { Call, Reply, Route } from '../http.ts';
import { ok, ProblemError, parse } from '../http.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { ChargeRecord, LedgerOptions } from './charges.ts';
import { ChargeLedger } from './charges.ts';

const identifier = z.string().min(1).max(255);

const money = z.strictObject({
  amount: z.int().positive(),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as EUR'),
});

const chargeBody = z.strictObject({
  orderId: identifier,
  amount: money,
  paymentMethod: z.strictObject({ token: identifier }),
});

const voidBody = z
  .strictObject({ orderId: identifier.optional(), amount: money.optional() })
  .optional();

const chargeHeaders = z.object({
  'idempotency-key': z
    .string('is required: send the payment id as Idempotency-Key')
    .min(1)
    .max(255),
});

const paymentPath = z.strictObject({ paymentId: identifier });

const listQuery = z.strictObject({
  orderId: z
    .string('is required: GET /gateway/charges?orderId=<orderId> lists the charges of an order')
    .min(1)
    .max(255),
});

/** Creates a ledger. It acknowledges charges if `acknowledgements` is given, and keeps them if a journal is given. */
export function createLedger(
  acknowledgements: Acknowledgements | undefined,
  options?: LedgerOptions,
): ChargeLedger {
  const ledger = new ChargeLedger(
    (charge, by) => acknowledgements?.follow(ledger, charge, by),
    options,
  );
  ledger.resume();
  return ledger;
}

/** Routes of the payment gateway simulator over a ledger. */
export function createGatewayRoutes(ledger: ChargeLedger): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/gateway/charges',
      summary: 'charges a payment once; the payment id is the Idempotency-Key',
      handle: (call) => charge(ledger, call),
    },
    {
      method: 'GET',
      path: '/gateway/charges',
      summary: 'lists what was really charged for an order: ?orderId=',
      handle: (call) => listCharges(ledger, call),
    },
    {
      method: 'GET',
      path: '/gateway/charges/:paymentId',
      summary: 'what became of a payment',
      handle: (call) => findCharge(ledger, call),
    },
    {
      method: 'POST',
      path: '/gateway/charges/:paymentId/void',
      summary: 'voids a pending or unknown payment for good',
      handle: (call) => voidCharge(ledger, call),
    },
    {
      method: 'POST',
      path: '/gateway/charges/:paymentId/refund',
      summary: 'refunds a captured payment once',
      handle: (call) => refundCharge(ledger, call),
    },
  ];
}

function charge(ledger: ChargeLedger, call: Call): Reply {
  const paymentId = parse(chargeHeaders, call.headers, 'headers')['idempotency-key'];
  const { orderId, amount, paymentMethod } = parse(chargeBody, call.body, 'body');
  const { token } = paymentMethod;
  const outcome = ledger.charge({ paymentId, orderId, amount, token });
  switch (outcome.result) {
    case 'ANSWERED':
      return ok(describe(outcome.record));
    case 'ANSWER_LOST':
      return { kind: 'cut' };
    case 'UNAVAILABLE':
      throw new ProblemError(
        503,
        'GATEWAY_UNAVAILABLE',
        'Nothing was charged. Try again with the same Idempotency-Key.',
      );
    case 'REFUSED':
      throw new ProblemError(
        422,
        'CHARGE_REFUSED',
        'Nothing was charged. Use another payment token.',
      );
    case 'IDEMPOTENCY_CONFLICT':
      throw new ProblemError(
        422,
        'IDEMPOTENCY_CONFLICT',
        `Payment ${paymentId} was sent before with another order or amount. Use a new key.`,
      );
    default:
      return assertNever(outcome);
  }
}

function listCharges(ledger: ChargeLedger, call: Call): Reply {
  const { orderId } = parse(listQuery, call.query, 'query');
  const charges = ledger
    .listByOrder(orderId)
    .map(({ chargeId, paymentId, amount, status }) => ({ chargeId, paymentId, amount, status }));
  return ok({ charges });
}

function findCharge(ledger: ChargeLedger, call: Call): Reply {
  const { paymentId } = parse(paymentPath, call.params, 'path');
  const record = ledger.find(paymentId);
  if (record === undefined) throw unknownPayment(paymentId);
  return ok(describe(record));
}

function voidCharge(ledger: ChargeLedger, call: Call): Reply {
  const { paymentId } = parse(paymentPath, call.params, 'path');
  const body = parse(voidBody, call.body, 'body');
  return ok(describe(ledger.void(paymentId, body?.orderId ?? null, body?.amount ?? null)));
}

function refundCharge(ledger: ChargeLedger, call: Call): Reply {
  const { paymentId } = parse(paymentPath, call.params, 'path');
  const outcome = ledger.refund(paymentId);
  switch (outcome.result) {
    case 'REFUNDED':
      return ok(describe(outcome.record));
    case 'NOT_CAPTURED':
      throw new ProblemError(
        409,
        'NOT_CAPTURED',
        `Payment ${paymentId} is ${outcome.record.status}; only a captured one can be refunded.`,
      );
    case 'UNKNOWN_PAYMENT':
      throw unknownPayment(paymentId);
    default:
      return assertNever(outcome);
  }
}

function describe(record: ChargeRecord): unknown {
  const { chargeId, paymentId, orderId, amount, status } = record;
  const described = { chargeId, paymentId, orderId, amount, status };
  return record.status === 'DECLINED' ? { ...described, code: record.code } : described;
}

function unknownPayment(paymentId: string): ProblemError {
  return new ProblemError(
    404,
    'UNKNOWN_PAYMENT',
    `No charge of payment ${paymentId} ever reached the gateway. Void it to keep it that way.`,
  );
}
