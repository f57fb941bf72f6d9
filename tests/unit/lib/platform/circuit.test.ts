import { describe, expect, test } from 'vitest';
import {
  admission,
  afterAnswer,
  afterFailure,
  type Circuit,
  NEVER_FAILED,
} from '../../../../lib/platform/circuit.ts';

const NOW = 1_000_000;
const PROBE_MS = 7000;
const RULES = { failuresToOpen: 3, pauseMs: 10_000 };

const closed = (failures: number): Circuit => ({ status: 'CLOSED', failures, version: 5 });
const open = (probeAtMs: number): Circuit => ({
  status: 'OPEN',
  openedAtMs: NOW - 60_000,
  probeAtMs,
  version: 5,
});
const halfOpen = (probeUntilMs: number): Circuit => ({
  status: 'HALF_OPEN',
  openedAtMs: NOW - 60_000,
  probeUntilMs,
  version: 5,
});
const PROBING = {
  kind: 'PROBE',
  probing: {
    status: 'HALF_OPEN',
    openedAtMs: NOW - 60_000,
    probeUntilMs: NOW + PROBE_MS,
    version: 6,
  },
};

describe('a call', () => {
  test.each<[string, Circuit, unknown]>([
    ['where nothing ever failed goes through', NEVER_FAILED, { kind: 'GO' }],
    ['after a few failures goes through', closed(2), { kind: 'GO' }],
    ['during the pause is refused', open(NOW + 1), { kind: 'REFUSE', untilMs: NOW + 1 }],
    ['right after the pause is the probe', open(NOW), PROBING],
    ['during a probe is refused', halfOpen(NOW + 1), { kind: 'REFUSE', untilMs: NOW + 1 }],
    ['after a probe that nothing was heard of is the next probe', halfOpen(NOW), PROBING],
  ])('%s', (_what, circuit, expected) => {
    expect(admission(circuit, NOW, PROBE_MS)).toEqual(expected);
  });
});

describe('a failure', () => {
  test.each<[string, Circuit, unknown]>([
    ['is counted', closed(0), { status: 'CLOSED', failures: 1, version: 6 }],
    ['that is not the last one allowed is counted', closed(1), { ...closed(2), version: 6 }],
    [
      'that is one too many opens the circuit',
      closed(2),
      { status: 'OPEN', openedAtMs: NOW, probeAtMs: NOW + 10_000, version: 6 },
    ],
    [
      'of the probe opens it again, since when it was',
      halfOpen(NOW + 1),
      { status: 'OPEN', openedAtMs: NOW - 60_000, probeAtMs: NOW + 10_000, version: 6 },
    ],
    ['of a call that was made before it opened changes nothing', open(NOW + 1), open(NOW + 1)],
  ])('%s', (_what, circuit, expected) => {
    expect(afterFailure(circuit, NOW, RULES)).toEqual(expected);
  });
});

describe('an answer', () => {
  test('where nothing failed changes nothing, so that nothing is written', () => {
    expect(afterAnswer(NEVER_FAILED)).toBe(NEVER_FAILED);
  });

  test.each<[string, Circuit]>([
    ['after failures forgets them', closed(2)],
    ['to the probe closes the circuit', halfOpen(NOW + 1)],
  ])('%s', (_what, circuit) => {
    expect(afterAnswer(circuit)).toEqual({ status: 'CLOSED', failures: 0, version: 6 });
  });
});
