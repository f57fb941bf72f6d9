interface CircuitBase {
  /** Every change of the circuit. */
  readonly version: number;
}

/** Calls go through. `failures` in a row so far; an answer sets them back to none. */
export interface ClosedCircuit extends CircuitBase {
  readonly status: 'CLOSED';
  readonly failures: number;
}

/** Nothing is called before `probeAtMs`; then one call may try. */
export interface OpenCircuit extends CircuitBase {
  readonly status: 'OPEN';
  readonly openedAtMs: number;
  readonly probeAtMs: number;
}

/** One call is trying. If nothing is heard of it by `probeUntilMs`, another may. */
export interface HalfOpenCircuit extends CircuitBase {
  readonly status: 'HALF_OPEN';
  readonly openedAtMs: number;
  readonly probeUntilMs: number;
}

/**
 * A circuit breaker's state, shared by all instances through one item. Every function here answers
 * what it becomes; it is written on condition that it still is as it was read, so of several
 * instances one makes each change.
 */
export type Circuit = ClosedCircuit | OpenCircuit | HalfOpenCircuit;

export const NEVER_FAILED: ClosedCircuit = { status: 'CLOSED', failures: 0, version: 0 };

/** What a circuit says to a call that is about to be made. */
export type Admission =
  | { readonly kind: 'GO' }
  /** Make the change to `probing` first; whoever wins it may call. */
  | { readonly kind: 'PROBE'; readonly probing: HalfOpenCircuit }
  | { readonly kind: 'REFUSE'; readonly untilMs: number };

/** @param probeMs how long a probe may take before another is let through. */
export function admission(circuit: Circuit, nowMs: number, probeMs: number): Admission {
  switch (circuit.status) {
    case 'CLOSED':
      return { kind: 'GO' };
    case 'OPEN':
      return nowMs < circuit.probeAtMs
        ? { kind: 'REFUSE', untilMs: circuit.probeAtMs }
        : { kind: 'PROBE', probing: probing(circuit, nowMs + probeMs) };
    case 'HALF_OPEN':
      return nowMs < circuit.probeUntilMs
        ? { kind: 'REFUSE', untilMs: circuit.probeUntilMs }
        : { kind: 'PROBE', probing: probing(circuit, nowMs + probeMs) };
  }
}

function probing(circuit: OpenCircuit | HalfOpenCircuit, probeUntilMs: number): HalfOpenCircuit {
  const { openedAtMs, version } = circuit;
  return { status: 'HALF_OPEN', openedAtMs, probeUntilMs, version: version + 1 };
}

/**
 * After a call that failed. A closed circuit opens at the last of `failuresToOpen` in a row, a
 * half-open one opens again. An open one stays as it is: the call was made before it opened.
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

/** After a call that was answered, whatever the answer: closed, and no failure counts any more. */
export function afterAnswer(circuit: Circuit): Circuit {
  return circuit.status === 'CLOSED' && circuit.failures === 0
    ? circuit
    : { ...NEVER_FAILED, version: circuit.version + 1 };
}
