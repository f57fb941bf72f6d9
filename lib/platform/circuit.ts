interface CircuitBase {
  /** Number of changes of the circuit. */
  readonly version: number;
}

/** Calls go through. `failures` counts those in a row; an answer resets it. */
export interface ClosedCircuit extends CircuitBase {
  readonly status: 'CLOSED';
  readonly failures: number;
}

/** No calls before `probeAtMs`; then one probe may go through. */
export interface OpenCircuit extends CircuitBase {
  readonly status: 'OPEN';
  readonly openedAtMs: number;
  readonly probeAtMs: number;
}

/** One half-open probe is under way. If it has not ended by `probeUntilMs`, another may go through. */
export interface HalfOpenCircuit extends CircuitBase {
  readonly status: 'HALF_OPEN';
  readonly openedAtMs: number;
  readonly probeUntilMs: number;
}

/**
 * State of a circuit breaker, shared by all instances through one item. Each function here computes
 * the next state. The caller writes it if the item is still as it was read, so that one of several
 * instances makes each change.
 */
export type Circuit = ClosedCircuit | OpenCircuit | HalfOpenCircuit;

export const NEVER_FAILED: ClosedCircuit = { status: 'CLOSED', failures: 0, version: 0 };

/** Verdict of a circuit on a call that is about to be made. */
export type Admission =
  | { readonly kind: 'GO' }
  /** Only the instance that writes the change to `probing` may call. */
  | { readonly kind: 'PROBE'; readonly probing: HalfOpenCircuit }
  | { readonly kind: 'REFUSE'; readonly untilMs: number };

/** @param probeMs longest time a probe may take before another goes through. */
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

/** Computes the circuit after any answer: closed, with no failures. */
export function afterAnswer(circuit: Circuit): Circuit {
  return circuit.status === 'CLOSED' && circuit.failures === 0
    ? circuit
    : { ...NEVER_FAILED, version: circuit.version + 1 };
}
