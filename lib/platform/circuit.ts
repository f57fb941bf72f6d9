import * as z from 'zod/mini';
import { checkedFields, lazily, type Parsed, type StoredItem } from './dynamo/items.ts';

export const SCHEMA_VERSION = 1;
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
export interface OpenCircuit extends CircuitBase {
  readonly status: 'OPEN';
  readonly openedAtMs: number;
  readonly probeAtMs: number;
}

/** Calls go through in steps: one, then two, four, eight. A step ends at `probeUntilMs` at the latest. */
export interface HalfOpenCircuit extends CircuitBase {
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

export const NEVER_FAILED: ClosedCircuit = { status: 'CLOSED', version: 0 };

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

/** Outcome of a call: an answer of any kind, or a failure and the pause that the service asked for with it. */
export type Outcome = 'ANSWERED' | { readonly subject: string; readonly outForMs: number };

/** @returns the circuit with one more call under way; undefined if no call may go through now. */
export function withPlaceTaken(
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
export function toCircuit(item: StoredItem): Circuit {
  const schema = circuitSchema();
  // Compiles only if the schema's output and the type are the same.
  const circuit: Parsed<Circuit, typeof schema> = checkedFields(item, SCHEMA_VERSION, schema);
  return circuit;
}
