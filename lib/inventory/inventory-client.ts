import * as z from 'zod';
import { PRODUCT_ID } from '../limits.ts';
import type { Money } from '../money.ts';
import { functionUrlSigner } from '../platform/aws/sign-request.ts';
import { CircuitBreaker } from '../platform/circuit-breaker.ts';
import { DatabaseThrottled, type Facts, NotFound, type RefusalClass } from '../platform/errors.ts';
import type { HttpRequest, HttpResponse } from '../platform/http/http-client.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { moneySchema } from '../platform/schemas.ts';
import { secretReader } from '../platform/secrets.ts';
import {
  type ReservationDocument,
  reservationSchema,
  SERVICE_CREDENTIAL_HEADER,
} from './http/reservation-response.ts';
import {
  CONTENTION_REFUSALS,
  InventoryCircuitOpen,
  InventoryMisunderstood,
  InventoryRestarting,
  InventoryThrottled,
  InventoryTimeout,
  InventoryUnavailable,
  MixedCurrencies,
  RESERVATION_REFUSALS,
  refusalOfPieces,
  UnknownProduct,
} from './refusals.ts';

export type { ReservationDocument };

/** Order that a call is for, and the correlation id of the call. */
interface OrderCall {
  readonly orderId: string;
  readonly correlationId: string;
}

/** Reservation of an order. */
export interface ReservationOf extends OrderCall {
  readonly revision: number;
}

/**
 * The Inventory Service as the Order Service sees it, over HTTP. Every call may be repeated with the
 * same revision. It throws the service's refusals by name, LockContention, CacheTimeout, InventoryThrottled,
 * InventoryRestarting and InventoryCircuitOpen (with `retryAfterSeconds`), InventoryTimeout or
 * InventoryUnavailable, after both of which the effect of the call is unknown; or InventoryMisunderstood.
 */
export interface InventoryClient {
  reserve(
    of: ReservationOf,
    items: readonly { readonly productId: string; readonly quantity: number }[],
    hold: { readonly holdSeconds: number; readonly keepsTime: boolean },
  ): Promise<ReservationDocument>;
  /** @returns the stored reservation: a tombstone, or a newer or sold reservation left untouched. */
  release(of: ReservationOf): Promise<ReservationDocument>;
  /** Holds the stock for at least so long from now; `remainingMs` tells whether Inventory's maximum allowed it. */
  extend(of: ReservationOf, holdSeconds: number): Promise<ReservationDocument>;
  confirm(of: ReservationOf, paymentId: string): Promise<ReservationDocument>;
  /** @returns the stored reservation; undefined if there never was one. */
  findReservation(of: ReservationOf): Promise<ReservationDocument | undefined>;
  /**
   * Validates and prices items without reserving them: they are there now. A price in `frozen` stays.
   * @param items `taken` pieces are not held for the order yet.
   * @throws OutOfStock, TooManyPieces, UnknownProduct, ProductUnavailable, MixedCurrencies
   */
  quote(
    items: readonly QuotedItem[],
    of: OrderCall,
    frozen: ReadonlyMap<string, Money>,
  ): Promise<ReadonlyMap<string, Money>>;
}

export interface QuotedItem {
  readonly productId: string;
  readonly quantity: number;
  readonly taken: number;
}

/** Answers of the Inventory Service that this client throws by name. */
const ANSWERS: readonly RefusalClass[] = [...RESERVATION_REFUSALS, ...CONTENTION_REFUSALS];

interface Lookup {
  readonly method: 'GET';
  readonly path: string;
}

interface Change {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

const quotedProductSchema = z.object({
  productId: z.string(),
  active: z.boolean(),
  unitPrice: moneySchema,
  available: z.int(),
  maxPerOrder: z.int().optional(),
});

export function inventoryClient(runtime: Runtime): InventoryClient {
  const { INVENTORY_TIMEOUT_MS } = runtime.config;
  // A function URL ends with a slash.
  const baseUrl = runtime.config.INVENTORY_URL.replace(/\/$/, '');
  const sign = functionUrlSigner(runtime);
  const credentials = secretReader(runtime, 'INVENTORY_CREDENTIAL');
  const circuit = inventoryCircuit(runtime);

  /** Sends one request. @returns the parsed body; undefined for a GET that finds nothing. */
  async function call<Schema extends z.ZodType>(
    schema: Schema,
    of: OrderCall,
    request: Lookup,
  ): Promise<z.infer<Schema> | undefined>;
  async function call<Schema extends z.ZodType>(
    schema: Schema,
    of: OrderCall,
    request: Change,
  ): Promise<z.infer<Schema>>;
  async function call(
    schema: z.ZodType,
    { orderId, correlationId }: OrderCall,
    { method, path, body }: (Lookup | Change) & Pick<HttpRequest, 'body'>,
  ): Promise<unknown> {
    // Outside the circuit, because an unreadable credential says nothing about Inventory.
    const [credential] = await credentials();
    return circuit.run(orderId, async () => {
      let response: HttpResponse;
      try {
        response = await runtime.http({
          method,
          url: baseUrl + path,
          timeoutMs: INVENTORY_TIMEOUT_MS,
          headers: { [SERVICE_CREDENTIAL_HEADER]: credential, 'x-correlation-id': correlationId },
          body,
          sign,
        });
      } catch (error) {
        throw error instanceof Error && error.name === 'TimeoutError'
          ? new InventoryTimeout(InventoryTimeout.refusal.advice, { cause: error })
          : new InventoryUnavailable(InventoryUnavailable.refusal.advice, { cause: error });
      }
      if (method === 'GET' && isNotFound(response)) return undefined;
      if (response.status >= 400) throw refusal(response, runtime.clock.now());
      const document = schema.safeParse(response.body);
      if (document.success) return document.data;
      throw misunderstood(response, document.error);
    });
  }

  async function product(productId: string, of: OrderCall) {
    const request = { method: 'GET', path: `/inventory/product/${productId}` } as const;
    // Another id can be that of no product, and need not be a part of a URL.
    const found = PRODUCT_ID.test(productId)
      ? await call(quotedProductSchema, of, request)
      : undefined;
    if (found === undefined) {
      throw new UnknownProduct(`There is no product ${productId}; see GET /product.`, {
        details: { orderId: of.orderId, productId },
      });
    }
    return found;
  }

  return {
    reserve({ orderId, revision, correlationId }, items, hold) {
      const lines = [];
      for (const { productId, quantity } of items) lines.push({ productId, quantity });
      return call(
        reservationSchema,
        { orderId, correlationId },
        {
          method: 'PUT',
          path: `/inventory/reservation/${orderId}`,
          body: { revision, ...hold, items: lines },
        },
      );
    },
    release: ({ orderId, revision, correlationId }) =>
      call(
        reservationSchema,
        { orderId, correlationId },
        {
          method: 'DELETE',
          path: `/inventory/reservation/${orderId}?revision=${String(revision)}`,
        },
      ),
    extend: ({ orderId, revision, correlationId }, holdSeconds) =>
      call(
        reservationSchema,
        { orderId, correlationId },
        {
          method: 'POST',
          path: `/inventory/reservation/${orderId}/extend`,
          body: { revision, holdSeconds },
        },
      ),
    confirm: ({ orderId, revision, correlationId }, paymentId) =>
      call(
        reservationSchema,
        { orderId, correlationId },
        {
          method: 'POST',
          path: `/inventory/reservation/${orderId}/confirm`,
          body: { revision, paymentId },
        },
      ),
    findReservation: ({ orderId, correlationId }) =>
      call(
        reservationSchema,
        { orderId, correlationId },
        {
          method: 'GET',
          path: `/inventory/reservation/${orderId}`,
        },
      ),
    async quote(items, of, frozen) {
      const quotes = new Map<string, Money>();
      for (const { productId, quantity, taken } of items) {
        const found = await product(productId, of);
        const { unitPrice, maxPerOrder = runtime.config.DEFAULT_MAX_PER_ORDER } = found;
        const refused = refusalOfPieces({ ...found, maxPerOrder }, quantity, taken, {
          orderId: of.orderId,
        });
        if (refused !== undefined) throw refused;
        quotes.set(productId, frozen.get(productId) ?? unitPrice);
      }
      if (new Set([...quotes.values()].map(({ currency }) => currency)).size > 1) {
        throw new MixedCurrencies(
          'The products of one order must have one currency; order them separately.',
          {
            details: { orderId: of.orderId },
          },
        );
      }
      return quotes;
    },
  };
}

/** Time after Inventory's time-out after which an unfinished probe is taken for dead. */
const PROBE_GRACE_MS = 5000;

/** Counts a missing answer or a 5xx as an outage. Every other answer is about its own call only. */
function inventoryCircuit(runtime: Runtime): CircuitBreaker {
  const { config } = runtime;
  return new CircuitBreaker(runtime, {
    name: 'inventory',
    table: config.ORDERS_TABLE,
    rules: {
      failureRatio: config.CIRCUIT_FAILURE_RATIO,
      minCalls: config.CIRCUIT_MIN_CALLS,
      minSubjects: config.CIRCUIT_MIN_ORDERS,
      windowMs: config.CIRCUIT_WINDOW_SECONDS * 1000,
      pauseMs: config.INVENTORY_CIRCUIT_PAUSE_SECONDS * 1000,
      probeMs: config.INVENTORY_TIMEOUT_MS + PROBE_GRACE_MS,
    },
    outageMs(error) {
      if (error instanceof InventoryRestarting) return (error.retryAfterSeconds ?? 0) * 1000;
      return error instanceof InventoryTimeout || error instanceof InventoryUnavailable
        ? 0
        : undefined;
    },
    refusal: (retryAfterSeconds, cause) =>
      new InventoryCircuitOpen(InventoryCircuitOpen.refusal.advice, {
        retryAfterSeconds,
        cause,
      }),
  });
}

/** Members of Inventory's problem documents that this client reads; another body has none of them. */
const problemSchema = z
  .object({ code: z.string().catch(''), detail: z.string().catch('Inventory refused.') })
  .catch({ code: '', detail: 'Inventory refused.' });

/** True if Inventory itself says so: a 404 of anything before it says nothing about what it stores. */
function isNotFound({ status, body }: HttpResponse): boolean {
  return status === 404 && problemSchema.parse(body).code === NotFound.refusal.code;
}

function misunderstood(response: HttpResponse, cause?: unknown): Error {
  const { code } = problemSchema.parse(response.body);
  return new InventoryMisunderstood(InventoryMisunderstood.refusal.advice, {
    cause: new Error(`Inventory answered ${String(response.status)} ${code}`, { cause }),
  });
}

function refusal(response: HttpResponse, nowMs: number): Error {
  const { code, detail } = problemSchema.parse(response.body);
  const Refused = ANSWERS.find(({ refusal }) => refusal.code === code);
  if (Refused !== undefined) return new Refused(detail, { details: productFacts(response.body) });
  const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'), nowMs);
  if (response.status === 429 || code === DatabaseThrottled.refusal.code) {
    return new InventoryThrottled(InventoryThrottled.refusal.advice, { retryAfterSeconds });
  }
  if (response.status < 500) return misunderstood(response);
  if (retryAfterSeconds !== undefined) {
    return new InventoryRestarting(InventoryRestarting.refusal.advice, { retryAfterSeconds });
  }
  return new InventoryUnavailable('Inventory cannot answer now; try again shortly.', {
    cause: new Error(`Inventory answered ${String(response.status)} ${code}`),
  });
}

/** Facts in a refusal about the product that caused it. */
const productFactsSchema = z
  .object({
    productId: z.string().optional(),
    available: z.int().optional(),
    maxPerOrder: z.int().optional(),
  })
  .catch({});

function productFacts(document: unknown): Facts {
  return productFactsSchema.parse(document);
}

/** Longest pause that is granted: anything in front of Inventory can ask for one, and an open circuit keeps it. */
const LONGEST_PAUSE_SECONDS = 3600;

/** RFC 9110: seconds, or a date. */
function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - nowMs) / 1000;
  return Number.isNaN(seconds)
    ? undefined
    : Math.min(LONGEST_PAUSE_SECONDS, Math.max(0, Math.ceil(seconds)));
}
