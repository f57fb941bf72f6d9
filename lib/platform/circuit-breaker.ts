import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { documentClient } from './dynamo/database-client.ts';
import {
  CONFLICT,
  checkedFields,
  conditionalWrite,
  lazily,
  type Parsed,
  type RetryPolicy,
  retryOptimistically,
  type StoredItem,
  stillAsRead,
  throwUnavailable,
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

/** `version` is the number of changes of the circuit. */
interface CircuitBase {
  readonly version: number;
}

/** Calls go through. `failures` counts those in a row; an answer resets it. */
interface ClosedCircuit extends CircuitBase {
  readonly status: 'CLOSED';
  readonly failures: number;
}

/** No calls before `probeAtMs`; then one probe may go through. */
interface OpenCircuit extends CircuitBase {
  readonly status: 'OPEN';
  readonly openedAtMs: number;
  readonly probeAtMs: number;
}

/** One half-open probe is under way. If it has not ended by `probeUntilMs`, another may go through. */
interface HalfOpenCircuit extends CircuitBase {
  readonly status: 'HALF_OPEN';
  readonly openedAtMs: number;
  readonly probeUntilMs: number;
}

/**
 * State of a circuit breaker, shared by all instances through one item. An instance writes the next
 * state if the item is still as it was read, so that one of several instances makes each change.
 */
export type Circuit = ClosedCircuit | OpenCircuit | HalfOpenCircuit;

const NEVER_FAILED: ClosedCircuit = { status: 'CLOSED', failures: 0, version: 0 };

export interface CircuitBreakerOptions {
  /** Name of the called service and of the shared state. */
  readonly name: string;
  readonly table: string;
  readonly failuresToOpen: number;
  /** Time without calls after the circuit has opened. */
  readonly pauseMs: number;
  /** Longest time a probe may take before another goes through; longer than a call can take. */
  readonly probeMs: number;
  /**
   * Recognises an outage. @returns the shortest pause that the service asked for, 0 if it asked for
   * none; undefined if the error is no outage.
   */
  readonly outageMs: (error: unknown) => number | undefined;
  /** Makes the error of a call that is not made, or of one whose failure (`cause`) opened the circuit. */
  readonly refusal: (retryAfterSeconds: number, cause?: unknown) => Error;
}

/**
 * Circuit breaker whose state is shared by all instances through one item of `table`. An outage is
 * discovered once, not once per container, and one half-open probe goes through after the pause.
 * If the shared state cannot be read or written, calls go through: the breaker itself fails none.
 */
export class CircuitBreaker {
  readonly #runtime: Runtime;
  readonly #options: CircuitBreakerOptions;
  readonly #documents: DynamoDBDocumentClient;
  readonly #key: { readonly pk: string };
  #seen: { readonly circuit: Circuit; readonly atMs: number } | undefined;

  constructor(runtime: Runtime, options: CircuitBreakerOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#documents = documentClient(runtime.aws);
    this.#key = { pk: `CIRCUIT#${options.name}` };
  }

  /**
   * Makes the call, unless the circuit is open. While no call fails, it only reads the state.
   * @throws the `refusal` if the circuit is open or the call opened it; otherwise the call's own error.
   */
  async run<Result>(call: () => Promise<Result>): Promise<Result> {
    let known: Circuit = NEVER_FAILED;
    try {
      known = await this.#read(STATE_CACHE_TTL_MS);
    } catch (error) {
      this.#tellUnknown(error);
    }
    const circuit = known.status === 'CLOSED' ? known : await this.#takeProbe(known);
    const [outcome] = await Promise.allSettled([call()]);
    if (outcome.status === 'rejected') {
      const outForMs = this.#options.outageMs(outcome.reason);
      if (outForMs !== undefined) {
        await this.#countFailure(outForMs);
        return this.#throwFailure(outcome.reason);
      }
    }
    const neverFailed = circuit.status === 'CLOSED' && circuit.failures === 0;
    if (!neverFailed) await this.#close(circuit);
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  /** Reads the state, unless this instance has seen it within the last `maxAgeMs`. */
  async #read(maxAgeMs: number): Promise<Circuit> {
    const seen = this.#seen;
    if (seen !== undefined && this.#runtime.clock.now() - seen.atMs < maxAgeMs) return seen.circuit;
    const get = new GetCommand({ TableName: this.#options.table, Key: this.#key });
    const { Item: item } = await this.#documents.send(get).catch(throwUnavailable);
    const circuit = item === undefined ? NEVER_FAILED : toCircuit(item);
    this.#seen = { circuit, atMs: this.#runtime.clock.now() };
    return circuit;
  }

  /** @returns true if this instance made the change. */
  async #change(next: Circuit, previous: Circuit): Promise<boolean> {
    const { name, table } = this.#options;
    const put = new PutCommand({
      TableName: table,
      Item: { ...this.#key, type: 'CIRCUIT', schemaVersion: SCHEMA_VERSION, ...next },
      ...stillAsRead(previous.version === 0 ? undefined : previous, 'version'),
    });
    const refused = await conditionalWrite(this.#documents.send(put));
    if (refused !== undefined) {
      this.#seen = undefined;
      return false;
    }
    this.#seen = { circuit: next, atMs: this.#runtime.clock.now() };
    if (next.status !== previous.status) {
      observe('CircuitChanged', {}, { circuit: name, to: next.status }, { from: previous.status });
    }
    return true;
  }

  /**
   * Makes this instance's call the half-open probe.
   * @returns the circuit under which the probe is made.
   * @throws the refusal if it is too early, or another instance took the probe.
   */
  async #takeProbe(circuit: OpenCircuit | HalfOpenCircuit): Promise<Circuit> {
    const { probeMs, refusal } = this.#options;
    const nowMs = this.#runtime.clock.now();
    const untilMs = circuit.status === 'OPEN' ? circuit.probeAtMs : circuit.probeUntilMs;
    if (nowMs < untilMs) throw refusal(secondsUntil(untilMs, nowMs));
    const { openedAtMs, version } = circuit;
    const probeUntilMs = nowMs + probeMs;
    const probing: Circuit = {
      status: 'HALF_OPEN',
      openedAtMs,
      probeUntilMs,
      version: version + 1,
    };
    let isTaken = true;
    try {
      isTaken = await this.#change(probing, circuit);
    } catch (error) {
      this.#tellUnknown(error);
    }
    if (!isTaken) throw refusal(1);
    return probing;
  }

  /** Forgets all failures after an answer. */
  async #close(circuit: Circuit): Promise<void> {
    try {
      await this.#change({ ...NEVER_FAILED, version: circuit.version + 1 }, circuit);
    } catch (error) {
      this.#tellUnknown(error);
    }
  }

  /** @param atLeastMs shortest pause if this failure opens the circuit. */
  async #countFailure(atLeastMs: number): Promise<void> {
    const { failuresToOpen, pauseMs } = this.#options;
    const rules = { failuresToOpen, pauseMs: Math.max(pauseMs, atLeastMs) };
    try {
      await retryOptimistically(this.#runtime, COUNT_RETRIES, async () => {
        const circuit = await this.#read(0);
        const next = afterFailure(circuit, this.#runtime.clock.now(), rules);
        return next === circuit || (await this.#change(next, circuit)) ? undefined : CONFLICT;
      });
    } catch (error) {
      this.#tellUnknown(error);
    }
  }

  /** Tells the caller that a retry before the end of the pause is pointless. */
  #throwFailure(error: unknown): never {
    const nowMs = this.#runtime.clock.now();
    const circuit = this.#seen?.circuit;
    if (circuit?.status !== 'OPEN' || circuit.probeAtMs <= nowMs) throw error;
    throw this.#options.refusal(secondsUntil(circuit.probeAtMs, nowMs), error);
  }

  /** Lets the call go through if only the shared state is unavailable. */
  #tellUnknown(error: unknown): void {
    const isUnknown = error instanceof InfrastructureUnavailable || error instanceof UnreadableItem;
    if (!isUnknown) throw error;
    loggerFor({ circuit: this.#options.name }).warn(
      'The state of the circuit is unknown; the call goes through',
      { error },
    );
  }
}

/**
 * Computes the circuit after a failed call. A closed circuit opens at the last of `failuresToOpen` in a
 * row, a half-open one opens again. An open one stays as it is: the call was made before it opened.
 */
export function afterFailure(
  circuit: Circuit,
  nowMs: number,
  { failuresToOpen, pauseMs }: { readonly failuresToOpen: number; readonly pauseMs: number },
): Circuit {
  const version = circuit.version + 1;
  const probeAtMs = nowMs + pauseMs;
  switch (circuit.status) {
    case 'CLOSED': {
      const failures = circuit.failures + 1;
      return failures < failuresToOpen
        ? { status: 'CLOSED', failures, version }
        : { status: 'OPEN', openedAtMs: nowMs, probeAtMs, version };
    }
    case 'HALF_OPEN':
      return { status: 'OPEN', openedAtMs: circuit.openedAtMs, probeAtMs, version };
    case 'OPEN':
      return circuit;
  }
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
  // Compiles only if the schema's output and the type are the same.
  const circuit: Parsed<Circuit, typeof schema> = checkedFields(item, SCHEMA_VERSION, schema);
  return circuit;
}

function secondsUntil(timeMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((timeMs - nowMs) / 1000));
}
