import * as z from 'zod';
import type { Money } from '../money.ts';
import { type CircuitBreaker, circuitBreaker } from '../platform/circuit-breaker.ts';
import { toTimestamp } from '../platform/clock.ts';
import type { HttpRequest, HttpResponse } from '../platform/http/http-client.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { moneySchema } from '../platform/schemas.ts';
import { secretReader } from '../platform/secrets.ts';
import type { Secrets } from '../platform/settings.ts';
import {
  CacheTimeout,
  InventoryCircuitOpen,
  InventoryRestarting,
  InventoryTimeout,
  InventoryUnavailable,
  LockContention,
  MixedCurrencies,
  OutOfStock,
  ProductUnavailable,
  ReservationGone,
  StaleRevision,
  UnknownProduct,
} from './errors.ts';
import { type ReservationDocument, reservationSchema } from './http/reservation-response.ts';

export type { ReservationDocument };

/** Whose reservation, and under which correlation id the call is traced. */
export interface ReservationOf {
  readonly orderId: string;
  readonly correlationId: string;
  readonly revision: number;
}

/**
 * The Inventory Service as the Order Service sees it, over HTTP. Every call may be repeated with the
 * same revision. Each throws the service's refusals by name, LockContention, CacheTimeout,
 * InventoryRestarting and InventoryCircuitOpen (with `retryAfterSeconds`), InventoryTimeout or
 * InventoryUnavailable, after which it is unknown whether the call had its effect.
 */
export interface InventoryClient {
  reserve(
    of: ReservationOf,
    items: readonly { readonly productId: string; readonly quantity: number }[],
    keepsTime: boolean,
  ): Promise<ReservationDocument>;
  /** Answers what is stored then: a tombstone, or a newer or sold reservation left untouched. */
  release(of: ReservationOf): Promise<ReservationDocument>;
  extend(of: ReservationOf, untilMs: number): Promise<ReservationDocument>;
  confirm(of: ReservationOf, paymentId: string): Promise<ReservationDocument>;
  /** What is stored now; undefined where nothing ever was. */
  findReservation(of: ReservationOf): Promise<ReservationDocument | undefined>;
  /**
   * Validates items without reserving them, and prices them: a price in `frozen` stays.
   * @throws UnknownProduct, ProductUnavailable, MixedCurrencies
   */
  quote(
    items: readonly { readonly productId: string }[],
    of: Omit<ReservationOf, 'revision'>,
    frozen: ReadonlyMap<string, Money>,
  ): Promise<ReadonlyMap<string, Money>>;
}

const REFUSALS = {
  OUT_OF_STOCK: OutOfStock,
  UNKNOWN_PRODUCT: UnknownProduct,
  PRODUCT_UNAVAILABLE: ProductUnavailable,
  MIXED_CURRENCIES: MixedCurrencies,
  STALE_REVISION: StaleRevision,
  RESERVATION_GONE: ReservationGone,
  LOCK_CONTENTION: LockContention,
  CACHE_TIMEOUT: CacheTimeout,
} as const;

const quotedProductSchema = z.object({ active: z.boolean(), unitPrice: moneySchema });

export function inventoryClient(runtime: Runtime): InventoryClient {
  const { INVENTORY_URL, INVENTORY_TIMEOUT_MS } = runtime.config;
  const credentials = secretReader(runtime, 'INVENTORY_CREDENTIAL');
  const circuit = inventoryCircuit(runtime);

  async function send(
    [credential]: Secrets,
    correlationId: string,
    path: string,
    request: Pick<HttpRequest, 'method' | 'body'>,
  ): Promise<HttpResponse> {
    try {
      return await runtime.http({
        ...request,
        url: INVENTORY_URL + path,
        timeoutMs: INVENTORY_TIMEOUT_MS,
        headers: {
          authorization: `Bearer ${credential}`,
          'x-correlation-id': correlationId,
        },
      });
    } catch (error) {
      throw error instanceof Error && error.name === 'TimeoutError'
        ? new InventoryTimeout('Inventory did not answer in time; try again.', { cause: error })
        : new InventoryUnavailable('Inventory could not be reached; try again.', { cause: error });
    }
  }

  /** The answer's body in the expected shape. */
  function read<Schema extends z.ZodType>(schema: Schema, response: HttpResponse): z.infer<Schema> {
    if (response.status >= 400) throw refusal(response, runtime.clock.now());
    const document = schema.safeParse(response.body);
    if (document.success) return document.data;
    throw new InventoryUnavailable('Inventory answered something unexpected; try again.', {
      cause: document.error,
    });
  }

  /** Undefined where Inventory has nothing of that name. */
  async function find<Schema extends z.ZodType>(
    schema: Schema,
    correlationId: string,
    path: string,
  ): Promise<z.infer<Schema> | undefined> {
    // Outside the circuit: a credential that cannot be read says nothing of Inventory.
    const accepted = await credentials();
    return circuit.run(async () => {
      const response = await send(accepted, correlationId, path, { method: 'GET' });
      return response.status === 404 ? undefined : read(schema, response);
    });
  }

  async function call(
    of: ReservationOf,
    path: string,
    request: Pick<HttpRequest, 'method' | 'body'>,
  ): Promise<ReservationDocument> {
    const reservation = `/inventory/reservation/${of.orderId}${path}`;
    const accepted = await credentials();
    return circuit.run(async () =>
      read(reservationSchema, await send(accepted, of.correlationId, reservation, request)),
    );
  }

  async function product(productId: string, of: Omit<ReservationOf, 'revision'>) {
    const path = `/product/${encodeURIComponent(productId)}`;
    const found = await find(quotedProductSchema, of.correlationId, path);
    if (found === undefined) {
      throw new UnknownProduct(`There is no product ${productId}; see GET /product.`, {
        details: { orderId: of.orderId, productId },
      });
    }
    return found;
  }

  return {
    reserve: (of, items, keepsTime) =>
      call(of, '', {
        method: 'PUT',
        body: {
          revision: of.revision,
          keepsTime,
          items: items.map(({ productId, quantity }) => ({ productId, quantity })),
        },
      }),
    release: (of) => call(of, `?revision=${String(of.revision)}`, { method: 'DELETE' }),
    extend: (of, untilMs) =>
      call(of, '/extend', {
        method: 'POST',
        body: { revision: of.revision, until: toTimestamp(untilMs) },
      }),
    confirm: (of, paymentId) =>
      call(of, '/confirm', { method: 'POST', body: { revision: of.revision, paymentId } }),
    findReservation: (of) =>
      find(reservationSchema, of.correlationId, `/inventory/reservation/${of.orderId}`),
    async quote(items, of, frozen) {
      const quotes = new Map<string, Money>();
      for (const { productId } of items) {
        const { active, unitPrice } = await product(productId, of);
        if (!active) {
          throw new ProductUnavailable(`${productId} is not on sale at the moment; leave it out.`, {
            details: { orderId: of.orderId, productId },
          });
        }
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

/** A probe that has not ended by then has died with its process. */
const PROBE_GRACE_MS = 5000;

/** An outage is when Inventory does not answer, or not what it should: a refusal is an answer. */
function inventoryCircuit(runtime: Runtime): CircuitBreaker {
  const { config } = runtime;
  return circuitBreaker(runtime, {
    name: 'inventory',
    table: config.ORDERS_TABLE,
    failuresToOpen: config.INVENTORY_CIRCUIT_FAILURES,
    pauseMs: config.INVENTORY_CIRCUIT_PAUSE_SECONDS * 1000,
    probeMs: config.INVENTORY_TIMEOUT_MS + PROBE_GRACE_MS,
    outageMs(error) {
      if (error instanceof InventoryRestarting) return (error.retryAfterSeconds ?? 0) * 1000;
      return error instanceof InventoryTimeout || error instanceof InventoryUnavailable
        ? 0
        : undefined;
    },
    refusal: (retryAfterSeconds, cause) =>
      new InventoryCircuitOpen('Inventory is out; try again when it was given time.', {
        retryAfterSeconds,
        cause,
      }),
  });
}

function refusal(response: HttpResponse, nowMs: number): Error {
  const document = response.body as { code?: unknown; detail?: unknown } | undefined;
  const code = typeof document?.code === 'string' ? document.code : '';
  const detail = typeof document?.detail === 'string' ? document.detail : 'Inventory refused.';
  if (Object.hasOwn(REFUSALS, code)) return new REFUSALS[code as keyof typeof REFUSALS](detail);
  const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'), nowMs);
  if (response.status >= 500 && retryAfterSeconds !== undefined) {
    return new InventoryRestarting('Inventory asked to come back later.', { retryAfterSeconds });
  }
  return new InventoryUnavailable('Inventory cannot answer now; try again shortly.', {
    cause: new Error(`Inventory answered ${String(response.status)} ${code}`),
    retryAfterSeconds: 1,
  });
}

/** RFC 9110: seconds, or a date. */
function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, Math.ceil((dateMs - nowMs) / 1000));
}
