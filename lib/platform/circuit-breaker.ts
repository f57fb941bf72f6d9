import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import {
  afterCall,
  type Circuit,
  type CircuitRules,
  type HalfOpenCircuit,
  NEVER_FAILED,
  type OpenCircuit,
  type Outcome,
  SCHEMA_VERSION,
  toCircuit,
  withPlaceTaken,
} from './circuit.ts';
import { documentClient } from './dynamo/database-client.ts';
import {
  CONFLICT,
  conditionalWrite,
  type RetryPolicy,
  retryOptimistically,
  stillAsRead,
  throwUnavailable,
  UnreadableItem,
} from './dynamo/items.ts';
import { isInfrastructure } from './errors.ts';
import { loggerFor } from './lambda/logging.ts';
import { observe } from './lambda/observe.ts';
import type { Runtime } from './lambda/runtime.ts';

const STATE_CACHE_TTL_MS = 1000;
/** Attempts to count a call. A call that loses every one against other counts is not counted. */
const COUNT_RETRIES: RetryPolicy = { attempts: 6, pause: { baseMs: 5, capMs: 50 } };

export interface CircuitBreakerOptions {
  /** Name of the called service and of the shared state. */
  readonly name: string;
  readonly table: string;
  readonly rules: CircuitRules;
  /**
   * Recognises an outage. @returns the shortest pause that the service asked for, 0 if it asked for
   * none; undefined if the error is no outage.
   */
  readonly outageMs: (error: unknown) => number | undefined;
  /** Makes the error of a call that is not made, or of one whose failure (`cause`) opened the circuit. */
  readonly refusal: (retryAfterSeconds: number, cause?: unknown) => Error;
}

/**
 * Circuit breaker whose state is shared by all instances through one item of `table`. An outage is discovered once,
 * not once per container, and after the pause calls go through step by step. If the shared state cannot be read or
 * written, calls go through.
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
    // Under `CIRCUIT#` an earlier version kept a state of another form.
    this.#key = { pk: `CIRCUIT_WINDOW#${options.name}` };
  }

  /**
   * Makes the call, unless the circuit is open. While no call fails, it only reads the state.
   * @param subject id of what the call is about.
   * @throws the `refusal` if the circuit is open or the call opened it; otherwise the call's own error.
   */
  async run<Result>(subject: string, call: () => Promise<Result>): Promise<Result> {
    let known: Circuit = NEVER_FAILED;
    try {
      known = await this.#read(STATE_CACHE_TTL_MS);
    } catch (error) {
      this.#tellUnknown(error);
    }
    if (known.status !== 'CLOSED') known = await this.#takePlace(known);
    const [outcome] = await Promise.allSettled([call()]);
    const outForMs =
      outcome.status === 'rejected' ? this.#options.outageMs(outcome.reason) : undefined;
    if (outForMs !== undefined) await this.#count({ subject, outForMs });
    else if (this.#isCounting(this.#seen?.circuit ?? known)) await this.#count('ANSWERED');
    if (outcome.status === 'fulfilled') return outcome.value;
    return outForMs === undefined
      ? Promise.reject(outcome.reason as Error)
      : this.#throwFailure(outcome.reason);
  }

  /** Reads the state, unless this instance has seen it within the last `maxAgeMs`; for a change of it, consistently. */
  async #read(maxAgeMs: number): Promise<Circuit> {
    const seen = this.#seen;
    if (seen !== undefined && this.#runtime.clock.now() - seen.atMs < maxAgeMs) return seen.circuit;
    const { table: TableName } = this.#options;
    const get = new GetCommand({ TableName, Key: this.#key, ConsistentRead: maxAgeMs === 0 });
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
   * Takes a place for this instance's call in a step of the half-open circuit.
   * @returns the circuit under which the call is made.
   * @throws the refusal if it is too early, or other calls took every place.
   */
  async #takePlace(circuit: OpenCircuit | HalfOpenCircuit): Promise<Circuit> {
    const { rules, refusal } = this.#options;
    const nowMs = this.#runtime.clock.now();
    let taken: Circuit | undefined;
    try {
      await retryOptimistically(this.#runtime, COUNT_RETRIES, async () => {
        // Read again: the places that this instance saw free may be taken.
        const current =
          circuit.status === 'OPEN' && nowMs < circuit.probeAtMs ? circuit : await this.#read(0);
        if (current.status === 'CLOSED') {
          taken = current;
          return;
        }
        const next = withPlaceTaken(current, nowMs, rules);
        if (next === undefined) throw refusal(waitSeconds(current, nowMs));
        if (!(await this.#change(next, current))) return CONFLICT;
        taken = next;
        return;
      });
    } catch (error) {
      this.#tellUnknown(error);
      return circuit;
    }
    if (taken === undefined) throw refusal(1);
    return taken;
  }

  /** True if an answer changes the circuit, as far as this instance has seen it. */
  #isCounting(circuit: Circuit): boolean {
    if (circuit.status !== 'CLOSED') return true;
    const { window } = circuit;
    const { windowMs } = this.#options.rules;
    return window !== undefined && this.#runtime.clock.now() - window.sinceMs < windowMs;
  }

  async #count(outcome: Outcome): Promise<void> {
    const { rules } = this.#options;
    try {
      await retryOptimistically(this.#runtime, COUNT_RETRIES, async () => {
        const circuit = await this.#read(0);
        const next = afterCall(circuit, outcome, this.#runtime.clock.now(), rules);
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
    const isUnknown = isInfrastructure(error) || error instanceof UnreadableItem;
    if (!isUnknown) throw error;
    loggerFor({ circuit: this.#options.name }).warn(
      'The state of the circuit is unknown; the call goes through',
      { error },
    );
  }
}

/** Seconds after which a refused call is worth another try. The places of a step are soon free again. */
function waitSeconds(circuit: OpenCircuit | HalfOpenCircuit, nowMs: number): number {
  return circuit.status === 'OPEN' ? secondsUntil(circuit.probeAtMs, nowMs) : 1;
}

function secondsUntil(timeMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((timeMs - nowMs) / 1000));
}
