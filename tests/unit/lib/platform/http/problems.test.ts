import { describe, expect, test } from 'vitest';
import * as inventoryErrors from '../../../../../lib/inventory/refusals.ts';
import * as orderErrors from '../../../../../lib/orders/refusals.ts';
import * as signals from '../../../../../lib/orders/saga/signals.ts';
import * as paymentErrors from '../../../../../lib/payments/refusals.ts';
import * as platformErrors from '../../../../../lib/platform/errors.ts';
import { problemOf } from '../../../../../lib/platform/http/problems.ts';

const { DomainError, NotFound } = platformErrors;

type ErrorClass = new (message: string) => platformErrors.DomainError;

const ERRORS = [inventoryErrors, orderErrors, paymentErrors, platformErrors]
  .flatMap((module) => Object.values<unknown>(module))
  .filter(
    (exported): exported is ErrorClass =>
      typeof exported === 'function' &&
      exported !== DomainError &&
      exported.prototype instanceof DomainError,
  )
  .map((Class) => new Class('What to do next.'));

/** Errors of queue consumers, which no API request meets. */
const BEHIND_THE_API = new Set(['UnknownPayment', 'InvalidMessage']);

/** By hand, from section 3 of the specification and RFC 9110. */
const STATUS_OF: Readonly<Record<string, number>> = {
  BadRequest: 400,
  BodyTooLarge: 400,
  Unauthenticated: 401,
  BadSignature: 401,
  PaymentDeclined: 402,
  PaymentFailed: 402,
  MissingScope: 403,
  NotFound: 404,
  IllegalTransition: 409,
  DuplicateOrder: 409,
  OrderInFlight: 409,
  RequestInProgress: 409,
  ReservationExpired: 409,
  PaymentUnsettled: 409,
  ModificationPending: 409,
  ModificationRejected: 409,
  ConcurrentUpdate: 409,
  StaleRevision: 409,
  ProductExists: 409,
  ReservationGone: 410,
  PreconditionFailed: 412,
  TooManyOpenOrders: 429,
  IdempotencyConflict: 422,
  BadQuantity: 422,
  OutOfStock: 422,
  TooManyPieces: 422,
  UnknownProduct: 422,
  ProductUnavailable: 409,
  MixedCurrencies: 422,
  InfrastructureUnavailable: 503,
  InventoryUnavailable: 503,
  InventoryMisunderstood: 503,
  InventoryThrottled: 503,
  InventoryTimeout: 503,
  InventoryRestarting: 503,
  InventoryCircuitOpen: 503,
  LockContention: 503,
  CacheTimeout: 503,
  GatewayUnavailable: 503,
  GatewayThrottled: 503,
  DatabaseThrottled: 503,
  GatewayUnknown: 503,
  ChargeRefused: 503,
  OrderFailed: 503,
};

/** By hand, from section 2 of the specification: refusals that make an order INVALID. */
const FINAL = ['BadQuantity', 'MixedCurrencies', 'OutOfStock', 'TooManyPieces', 'UnknownProduct'];

describe('problem documents', () => {
  test('have the members of RFC 9457, a stable code and what the error knows', () => {
    const error = new NotFound('Check the id.', { details: { orderId: 'ord_1' } });
    expect(problemOf(error, '/order/ord_1')).toEqual({
      type: 'urn:ordersaga:problem:not-found',
      title: 'There is nothing here',
      status: 404,
      detail: 'Check the id.',
      instance: '/order/ord_1',
      code: 'NOT_FOUND',
      orderId: 'ord_1',
    });
  });

  test('cannot be overwritten by what the error knows', () => {
    // The compiler rejects such facts; the type `object` hides them.
    const details: object = {
      status: 'CREATED',
      code: 'X',
      title: 'X',
      type: 'X',
      detail: 'X',
      instance: 'X',
    };
    expect(
      problemOf(
        new NotFound('Check the id.', { details: details as platformErrors.Facts }),
        '/order/1',
      ),
    ).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      type: 'urn:ordersaga:problem:not-found',
      detail: 'Check the id.',
      instance: '/order/1',
    });
  });

  test('lead below the base path of the caller', () => {
    const error = new NotFound('Look there.', { links: { place: '/place/1' } });
    expect(problemOf(error, '/shop/place', '/shop')).toMatchObject({
      instance: '/shop/place',
      place: '/shop/place/1',
    });
  });

  test('never show a cause', () => {
    const error = new NotFound('Check the id.', { cause: new Error('table orders-prod') });
    expect(JSON.stringify(problemOf(error, '/'))).not.toContain('orders-prod');
  });

  test.each(
    ERRORS.filter(({ name }) => !BEHIND_THE_API.has(name)).map((e) => [e.name, e] as const),
  )('%s has its own status', (name, error) => {
    const problem = problemOf(error, '/');
    expect({ [name]: problem.status }).toEqual({ [name]: STATUS_OF[name] });
    expect(problem.code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(problem.detail).toBe('What to do next.');
  });

  test('a code has one status and one title, also if several errors share it', () => {
    const rows = ERRORS.flatMap(({ refusal }) => refusal ?? []);
    const types = new Set(
      rows.map(({ code, status, title }) => `${code} ${String(status)} ${title}`),
    );
    expect(types.size).toBe(new Set(rows.map(({ code }) => code)).size);
  });

  test('a final refusal makes an order INVALID', () => {
    const final = ERRORS.filter(({ refusal }) => refusal?.isFinal === true);
    expect(final.map(({ name }) => name).sort()).toEqual(FINAL);
  });

  test.each([
    ['an error of a library', new TypeError('secret: arn:aws:sqs:prod')],
    ['a branch of the saga', new signals.RunSuperseded('secret: run 3')],
    [
      'an error of a queue consumer',
      new platformErrors.InvalidMessage('secret', { details: { secret: 1 } }),
    ],
    ['a string', 'secret'],
    ['nothing', undefined],
    ['a look-alike', { code: 'NOT_FOUND', message: 'secret', details: { secret: 1 } }],
  ])('%s gives nothing away', (_what, error) => {
    const problem = problemOf(error, '/order');
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL_ERROR', instance: '/order' });
    expect(JSON.stringify(problem).toLowerCase()).not.toContain('secret');
  });

  test('every error has a name of its own: the state machine branches by it', () => {
    const names = ERRORS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).not.toContain('Error');
  });
});
