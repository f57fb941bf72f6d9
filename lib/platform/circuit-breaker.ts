import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { admission, afterAnswer, afterFailure, type Circuit, NEVER_FAILED } from './circuit.ts';
import { documentClient } from './dynamo/database-client.ts';
import {
  checkItem,
  conditionalWrite,
  databaseRead,
  lazily,
  type Parsed,
  type StoredItem,
  stillAsRead,
  UnreadableItem,
} from './dynamo/items.ts';
import { InfrastructureUnavailable } from './errors.ts';
import { loggerFor } from './lambda/logging.ts';
import { observe } from './lambda/observe.ts';
import type { Runtime } from './lambda/runtime.ts';

const SCHEMA_VERSION = 1;
/** For so long an instance trusts what it saw of the shared state. */
const SEEN_FOR_MS = 1000;
/** A failure that could not be counted, because others were counted at that moment, is let go. */
const COUNTING_TRIES = 3;

export interface CircuitBreakerOptions {
  /** What is called; names the shared state. */
  readonly name: string;
  readonly table: string;
  readonly failuresToOpen: number;
  /** How long nothing is called after the circuit has opened. */
  readonly pauseMs: number;
  /** Longer than a call can take. */
  readonly probeMs: number;
  /**
   * Whether this error says that the service is out, and then for how long at least nothing should
   * be called, by its own words; 0 where it did not say.
   */
  readonly outageMs: (error: unknown) => number | undefined;
  /** The error of a call that is not made, or of one whose failure (`cause`) opened the circuit. */
  readonly refusal: (retryAfterSeconds: number, cause?: unknown) => Error;
}

export interface CircuitBreaker {
  /**
   * @throws what `refusal` makes, without a call, or where the call failed and nothing is called for
   * a while after it; otherwise what the call throws.
   */
  run<Result>(call: () => Promise<Result>): Promise<Result>;
}

/**
 * A circuit breaker whose state is shared by all instances through one item of `table`: an outage is
 * discovered once and not once per container, and one probe goes through after the pause. It never
 * makes a call fail that would have succeeded without it: where its own state cannot be read or
 * written, calls go through.
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
    if (seen !== undefined && clock.now() - seen.atMs < SEEN_FOR_MS) return seen.circuit;
    try {
      return await read();
    } catch (error) {
      tellUnknown(error);
      return NEVER_FAILED;
    }
  }

  /** @returns whether it was this instance that made the change. */
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

  /** The circuit is there to spare calls, not to keep them from being made. */
  function tellUnknown(error: unknown): void {
    const isUnknown = error instanceof InfrastructureUnavailable || error instanceof UnreadableItem;
    if (!isUnknown) throw error;
    loggerFor({ circuit: name }).warn('The circuit is not known; the call goes through', { error });
  }

  /** @returns the circuit as the call may rely on it. */
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
    for (let tries = 0; tries < COUNTING_TRIES; tries += 1) {
      const circuit = await read();
      if (await change(afterFailure(circuit, clock.now(), rules), circuit)) return;
    }
  }

  /** Whoever retries needs to know that there is no point in it before the pause is over. */
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
