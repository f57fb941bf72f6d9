import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { admission, afterAnswer, afterFailure, type Circuit, NEVER_FAILED } from './circuit.ts';
import { documentClient } from './dynamo/database-client.ts';
import {
  CONFLICT,
  checkItem,
  conditionalWrite,
  databaseRead,
  lazily,
  type Parsed,
  type RetryPolicy,
  retryOptimistically,
  type StoredItem,
  stillAsRead,
  UnreadableItem,
} from './dynamo/items.ts';
import { InfrastructureUnavailable } from './errors.ts';
import { loggerFor } from './lambda/logging.ts';
import { observe } from './lambda/observe.ts';
import type { Runtime } from './lambda/runtime.ts';

const SCHEMA_VERSION = 1;
const STATE_CACHE_TTL_MS = 1000;
/** Attempts to count a failure. A failure that loses every one against other counts is not counted. */
const COUNT_RETRIES: RetryPolicy = { attempts: 3 };

export interface CircuitBreakerOptions {
  /** Name of the called service and of the shared state. */
  readonly name: string;
  readonly table: string;
  readonly failuresToOpen: number;
  /** Time without calls after the circuit has opened. */
  readonly pauseMs: number;
  /** Longest time a probe may take; longer than a call can take. */
  readonly probeMs: number;
  /**
   * Recognises an outage. @returns the shortest pause that the service asked for, 0 if it asked for
   * none; undefined if the error is no outage.
   */
  readonly outageMs: (error: unknown) => number | undefined;
  /** Makes the error of a call that is not made, or of one whose failure (`cause`) opened the circuit. */
  readonly refusal: (retryAfterSeconds: number, cause?: unknown) => Error;
}

export interface CircuitBreaker {
  /**
   * Makes the call, unless the circuit is open.
   * @throws the `refusal` if the circuit is open or the call opened it; otherwise the call's own error.
   */
  run<Result>(call: () => Promise<Result>): Promise<Result>;
}

/**
 * Circuit breaker whose state is shared by all instances through one item of `table`. An outage is
 * discovered once, not once per container, and one half-open probe goes through after the pause.
 * If the shared state cannot be read or written, calls go through: the breaker itself fails none.
 */
export function circuitBreaker(runtime: Runtime, options: CircuitBreakerOptions): CircuitBreaker {
  const { name, table, failuresToOpen, pauseMs, probeMs, outageMs, refusal } = options;
  const { clock } = runtime;
  const documents = documentClient(runtime.aws);
  const key = { pk: `CIRCUIT#${name}` };
  let seen: { readonly circuit: Circuit; readonly atMs: number } | undefined;

  async function read(): Promise<Circuit> {
    const output = await databaseRead(() =>
      documents.send(new GetCommand({ TableName: table, Key: key })),
    );
    const circuit = output.Item === undefined ? NEVER_FAILED : toCircuit(output.Item);
    seen = { circuit, atMs: clock.now() };
    return circuit;
  }

  async function look(): Promise<Circuit> {
    if (seen !== undefined && clock.now() - seen.atMs < STATE_CACHE_TTL_MS) return seen.circuit;
    try {
      return await read();
    } catch (error) {
      tellUnknown(error);
      return NEVER_FAILED;
    }
  }

  /** @returns true if this instance made the change. */
  async function change(next: Circuit, previous: Circuit): Promise<boolean> {
    if (next === previous) return true;
    const refused = await conditionalWrite(() =>
      documents.send(
        new PutCommand({
          TableName: table,
          Item: { ...key, type: 'CIRCUIT', schemaVersion: SCHEMA_VERSION, ...next },
          ...stillAsRead(previous.version === 0 ? undefined : previous),
        }),
      ),
    );
    if (refused !== undefined) {
      seen = undefined;
      return false;
    }
    seen = { circuit: next, atMs: clock.now() };
    if (next.status !== previous.status) {
      observe('CircuitChanged', {}, { circuit: name, to: next.status }, { from: previous.status });
    }
    return true;
  }

  /** Lets the call go through if only the shared state is unavailable. */
  function tellUnknown(error: unknown): void {
    const isUnknown = error instanceof InfrastructureUnavailable || error instanceof UnreadableItem;
    if (!isUnknown) throw error;
    loggerFor({ circuit: name }).warn(
      'The state of the circuit is unknown; the call goes through',
      { error },
    );
  }

  /** @returns the circuit under which the call is made. @throws the refusal if it may not be made. */
  async function admit(): Promise<Circuit> {
    const circuit = await look();
    const nowMs = clock.now();
    const admitted = admission(circuit, nowMs, probeMs);
    switch (admitted.kind) {
      case 'GO':
        return circuit;
      case 'REFUSE':
        throw refusal(secondsUntil(admitted.untilMs, nowMs));
      case 'PROBE':
        if (await won(admitted.probing, circuit)) return admitted.probing;
        throw refusal(1);
    }
  }

  async function won(probing: Circuit, circuit: Circuit): Promise<boolean> {
    try {
      return await change(probing, circuit);
    } catch (error) {
      tellUnknown(error);
      return true;
    }
  }

  async function failed(atLeastMs: number): Promise<void> {
    const rules = { failuresToOpen, pauseMs: Math.max(pauseMs, atLeastMs) };
    await retryOptimistically(runtime, COUNT_RETRIES, async () => {
      const circuit = await read();
      const isCounted = await change(afterFailure(circuit, clock.now(), rules), circuit);
      return isCounted ? undefined : CONFLICT;
    });
  }

  /** Tells the caller that a retry before the end of the pause is pointless. */
  function throwFailure(error: unknown): never {
    const nowMs = clock.now();
    if (seen?.circuit.status !== 'OPEN' || seen.circuit.probeAtMs <= nowMs) throw error;
    throw refusal(secondsUntil(seen.circuit.probeAtMs, nowMs), error);
  }

  async function record(outcome: () => Promise<unknown>): Promise<void> {
    try {
      await outcome();
    } catch (error) {
      tellUnknown(error);
    }
  }

  return {
    async run(call) {
      const circuit = await admit();
      const [outcome] = await Promise.allSettled([call()]);
      const outForMs = outcome.status === 'rejected' ? outageMs(outcome.reason) : undefined;
      await record(() =>
        outForMs === undefined ? change(afterAnswer(circuit), circuit) : failed(outForMs),
      );
      if (outcome.status === 'fulfilled') return outcome.value;
      if (outForMs === undefined) throw outcome.reason;
      return throwFailure(outcome.reason);
    },
  };
}

const circuitSchema = lazily(() => {
  const version = z.int();
  return z.discriminatedUnion('status', [
    z.object({ version, status: z.literal('CLOSED'), failures: z.int() }),
    z.object({ version, status: z.literal('OPEN'), openedAtMs: z.number(), probeAtMs: z.number() }),
    z.object({
      version,
      status: z.literal('HALF_OPEN'),
      openedAtMs: z.number(),
      probeUntilMs: z.number(),
    }),
  ]);
});

/** @throws MalformedItem, UnknownSchemaVersion */
function toCircuit(item: StoredItem): Circuit {
  const schema = circuitSchema();
  checkItem(item, SCHEMA_VERSION, schema);
  const { pk: _pk, type: _type, schemaVersion: _schemaVersion, ...circuit } = item;
  return circuit as unknown as Parsed<Circuit, typeof schema>;
}

function secondsUntil(timeMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((timeMs - nowMs) / 1000));
}
