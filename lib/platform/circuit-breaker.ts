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
import { isInfrastructure } from './errors.ts';
import { loggerFor } from './lambda/logging.ts';
import { observe } from './lambda/observe.ts';
import type { Runtime } from './lambda/runtime.ts';

const SCHEMA_VERSION = 1;
const STATE_CACHE_TTL_MS = 1000;
/** Attempts to count a call. A call that loses every one against other counts is not counted. */
const COUNT_RETRIES: RetryPolicy = { attempts: 6, pause: { baseMs: 5, capMs: 50 } };
/** Calls of the last step of a half-open circuit, which begins with one call and doubles. */
const LAST_STEP_CALLS = 8;
/** Failures of fewer subjects open no half-open circuit again, if the rules ask for as many. */
const HALF_OPEN_SUBJECTS = 2;

/*
 * The circuit's states. An instance writes the next state if the item is still as it was read, so that one of several
 * instances makes each change.
 *
 *               a failure: a window begins            enough of its calls failed
 *     CLOSED ─────────────────────────────▶ CLOSED ─────────────────────────────▶ OPEN ◀────────┐
 *   no window ◀──────────────────────────── window                                 │            │ enough of the
 *       ▲      its time is over                                      after the pause │            │ step's calls failed
 *       └──────────────────────────────────────────────────────── HALF_OPEN ◀──────┴────────────┘
 *         the last step has passed, or a window's time without a failure
 *
 * A half-open step passes once its calls were answered, or at its end if those that were heard of were. Counts can be
 * lost, so it does not wait for each of them. With failures of one subject only it begins again.
 */

/** `version` is the number of changes of the circuit. */
interface CircuitBase {
  readonly version: number;
}

/** Calls since a failure. Calls before the first failure are not written, so that a healthy service costs no write. */
interface CallWindow {
  readonly sinceMs: number;
  readonly calls: number;
  readonly failures: number;
  /** Subjects of failed calls, each once, up to `minSubjects` of them. */
  readonly failedSubjects: readonly string[];
}

/** All calls go through. */
interface ClosedCircuit extends CircuitBase {
  readonly status: 'CLOSED';
  readonly window?: CallWindow;
}

/** No calls before `probeAtMs`. */
interface OpenCircuit extends CircuitBase {
  readonly status: 'OPEN';
  readonly openedAtMs: number;
  readonly probeAtMs: number;
}

/** Calls go through in steps: one, then two, four, eight. A step ends at `probeUntilMs` at the latest. */
interface HalfOpenCircuit extends CircuitBase {
  readonly status: 'HALF_OPEN';
  readonly openedAtMs: number;
  readonly halfOpenSinceMs: number;
  readonly probeUntilMs: number;
  readonly stepCalls: number;
  readonly started: number;
  /** Calls of the step that ended, failed ones among them. */
  readonly answered: number;
  readonly failed: number;
  /** Subjects of failed calls since the circuit is half open, each once, up to HALF_OPEN_SUBJECTS of them. */
  readonly failedSubjects: readonly string[];
}

/** State of a circuit breaker, shared by all instances through one item. */
export type Circuit = ClosedCircuit | OpenCircuit | HalfOpenCircuit;

const NEVER_FAILED: ClosedCircuit = { status: 'CLOSED', version: 0 };

/** Amounts by which calls open and close a circuit. */
export interface CircuitRules {
  /** Share of failed calls that opens the circuit. */
  readonly failureRatio: number;
  /** Fewer calls in one window open nothing. */
  readonly minCalls: number;
  /** Failures of fewer subjects open nothing: what one of them meets is not the state of the service. */
  readonly minSubjects: number;
  readonly windowMs: number;
  /** Time without calls after the circuit has opened. */
  readonly pauseMs: number;
  /** Longest time for the calls of one half-open step; longer than a call can take. */
  readonly probeMs: number;
}

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

/** Outcome of a call: an answer of any kind, or a failure and the pause that the service asked for with it. */
export type Outcome = 'ANSWERED' | { readonly subject: string; readonly outForMs: number };

/** @returns the circuit with one more call under way; undefined if no call may go through now. */
function withPlaceTaken(
  circuit: OpenCircuit | HalfOpenCircuit,
  nowMs: number,
  rules: CircuitRules,
): HalfOpenCircuit | ClosedCircuit | undefined {
  const version = circuit.version + 1;
  if (circuit.status === 'OPEN') {
    const { openedAtMs, probeAtMs } = circuit;
    if (nowMs < probeAtMs) return undefined;
    const begun = { status: 'HALF_OPEN', openedAtMs, halfOpenSinceMs: nowMs } as const;
    const step = { ...stepOf(1, nowMs, rules), started: 1 };
    return { ...begun, ...step, failedSubjects: [], version };
  }
  const { stepCalls, started, answered, failed, halfOpenSinceMs } = circuit;
  const wasAnswered = stepCalls > 1 || answered > failed;
  if (wasAnswered && failed === 0 && nowMs - halfOpenSinceMs >= rules.windowMs) {
    return { status: 'CLOSED', version };
  }
  if (nowMs >= circuit.probeUntilMs) {
    const next = answered > failed ? afterStep(circuit, nowMs, rules) : circuit;
    if (next.status === 'CLOSED') return next;
    return { ...next, ...stepOf(next.stepCalls, nowMs, rules), started: 1, version };
  }
  return started < stepCalls ? { ...circuit, started: started + 1, version } : undefined;
}

/** A half-open step before its first call. */
function stepOf(stepCalls: number, nowMs: number, { probeMs }: CircuitRules) {
  return { stepCalls, started: 0, answered: 0, failed: 0, probeUntilMs: nowMs + probeMs };
}

/** The circuit after a step: with too many failures the step again, otherwise the next one, or closed. */
function afterStep(
  circuit: HalfOpenCircuit,
  nowMs: number,
  rules: CircuitRules,
): HalfOpenCircuit | ClosedCircuit {
  const version = circuit.version + 1;
  const { stepCalls, halfOpenSinceMs } = circuit;
  if (isTooMany(circuit.failed, stepCalls, rules)) {
    return { ...circuit, ...stepOf(stepCalls, nowMs, rules), version };
  }
  return stepCalls >= LAST_STEP_CALLS || nowMs - halfOpenSinceMs >= rules.windowMs
    ? { status: 'CLOSED', version }
    : { ...circuit, ...stepOf(stepCalls * 2, nowMs, rules), version };
}

function isTooMany(failures: number, calls: number, { failureRatio }: CircuitRules): boolean {
  return failures > 0 && failures >= calls * failureRatio;
}

/**
 * Computes the circuit after a call. An open one stays as it is: the call was made before it opened.
 * @returns the same circuit if nothing changes.
 */
export function afterCall(
  circuit: Circuit,
  outcome: Outcome,
  nowMs: number,
  rules: CircuitRules,
): Circuit {
  const version = circuit.version + 1;
  const failure = outcome === 'ANSWERED' ? undefined : outcome;
  const failed = failure === undefined ? 0 : 1;
  const opened = (openedAtMs: number): OpenCircuit => ({
    status: 'OPEN',
    openedAtMs,
    probeAtMs: nowMs + Math.max(rules.pauseMs, failure?.outForMs ?? 0),
    version,
  });
  switch (circuit.status) {
    case 'CLOSED': {
      const { window } = circuit;
      const isOver = window === undefined || nowMs - window.sinceMs >= rules.windowMs;
      if (isOver && failure === undefined) return circuit;
      const before = isOver
        ? { sinceMs: nowMs, calls: 0, failures: 0, failedSubjects: [] }
        : window;
      const failedSubjects = new Set(before.failedSubjects);
      if (failure !== undefined && failedSubjects.size < rules.minSubjects) {
        failedSubjects.add(failure.subject);
      }
      const calls = before.calls + 1;
      const failures = before.failures + failed;
      const isOutage =
        calls >= rules.minCalls &&
        failedSubjects.size >= rules.minSubjects &&
        isTooMany(failures, calls, rules);
      if (isOutage) return opened(nowMs);
      return {
        status: 'CLOSED',
        window: { sinceMs: before.sinceMs, calls, failures, failedSubjects: [...failedSubjects] },
        version,
      };
    }
    case 'HALF_OPEN': {
      const answered = circuit.answered + 1;
      const failures = circuit.failed + failed;
      const failedSubjects = new Set(circuit.failedSubjects);
      if (failure !== undefined && failedSubjects.size < HALF_OPEN_SUBJECTS) {
        failedSubjects.add(failure.subject);
      }
      const isOfMany = failedSubjects.size >= Math.min(rules.minSubjects, HALF_OPEN_SUBJECTS);
      if (failed > 0 && isOfMany && isTooMany(failures, circuit.stepCalls, rules)) {
        return opened(circuit.openedAtMs);
      }
      const next: HalfOpenCircuit = {
        ...circuit,
        answered,
        failed: failures,
        failedSubjects: [...failedSubjects],
        version,
      };
      return answered < circuit.stepCalls ? next : { ...afterStep(next, nowMs, rules), version };
    }
    case 'OPEN':
      return circuit;
  }
}

/** Seconds after which a refused call is worth another try. The places of a step are soon free again. */
function waitSeconds(circuit: OpenCircuit | HalfOpenCircuit, nowMs: number): number {
  return circuit.status === 'OPEN' ? secondsUntil(circuit.probeAtMs, nowMs) : 1;
}

const circuitSchema = lazily(() => {
  const version = z.int();
  const count = z.int();
  return z.discriminatedUnion('status', [
    z.object({
      version,
      status: z.literal('CLOSED'),
      window: z.exactOptional(
        z.object({
          sinceMs: z.number(),
          calls: count,
          failures: count,
          failedSubjects: z.array(z.string()),
        }),
      ),
    }),
    z.object({ version, status: z.literal('OPEN'), openedAtMs: z.number(), probeAtMs: z.number() }),
    z.object({
      version,
      status: z.literal('HALF_OPEN'),
      openedAtMs: z.number(),
      probeUntilMs: z.number(),
      halfOpenSinceMs: z.number(),
      stepCalls: count,
      started: count,
      answered: count,
      failed: count,
      failedSubjects: z.array(z.string()),
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
