import { RIVALS, type Rival, type RivalName } from './rivals.ts';
import { type Run, runScenario } from './run-scenario.ts';
import type { Scenario } from './scenarios.ts';
import { FAULT_NAMES, RIVAL_NAMES, type Strike } from './strikes.ts';
import { executionOf, type RecordedEffect } from './world/effect-log.ts';

/** Operations that change the world. */
const CHANGES: readonly string[] = [
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'TransactWriteItems',
  'SendMessage',
  'StartExecution',
  'SendTaskSuccess',
];

/** A database write, a message, a start or signal of a saga, or an HTTP call. */
export function isSideEffect({ kind, operation }: RecordedEffect): boolean {
  return kind === 'http' || CHANGES.includes(operation);
}

/** Decides whether the next possible run is made. */
type Draw = () => boolean;

const every: Draw = () => true;

/** Runs the scenario once without faults, then once for every side effect and every fault. */
export async function* exploreCrashes(scenario: Scenario, seed: number): AsyncGenerator<Run> {
  const rehearsal = await runScenario(scenario, seed, []);
  yield rehearsal;
  for (const strike of faultsAt(rehearsal.effects)) {
    yield await runScenario(scenario, seed, [strike]);
  }
}

/** Every pair of faults. The second strikes any side effect after the first, including those of the recovery. */
export async function* exploreAllPairs(scenario: Scenario, seed: number): AsyncGenerator<Run> {
  for (const first of faultsAt((await runScenario(scenario, seed, [])).effects)) {
    const { effects } = await runScenario(scenario, seed, [first]);
    for (const second of faultsAt(effects)) {
      if (second.n > first.n) yield await runScenario(scenario, seed, [first, second]);
    }
  }
}

/**
 * A random sample of those pairs.
 * @param random selects the pairs; the same numbers select the same pairs.
 */
export async function* explorePairs(
  scenario: Scenario,
  seed: number,
  count: number,
  random: () => number,
): AsyncGenerator<Run> {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)];
  const firsts = faultsAt((await runScenario(scenario, seed, [])).effects);
  const afterFirst = new Map<Strike, readonly Strike[]>();
  for (let pair = 0; pair < count; pair += 1) {
    const first = pick(firsts);
    if (first === undefined) return;
    const seconds =
      afterFirst.get(first) ??
      faultsAt((await runScenario(scenario, seed, [first])).effects).filter(({ n }) => n > first.n);
    afterFirst.set(first, seconds);
    const second = pick(seconds);
    yield await runScenario(scenario, seed, second === undefined ? [first] : [first, second]);
  }
}

/** One run for every effect and every rival. The rival's whole call runs just before the effect. */
export async function* exploreRivals(
  scenario: Scenario,
  seed: number,
  rivals: readonly RivalName[] = RIVAL_NAMES,
  isDrawn: Draw = every,
): AsyncGenerator<Run> {
  const rehearsal = await runScenario(scenario, seed, []);
  const beginningMs = rehearsal.effects[0]?.atMs ?? 0;
  for (const { n, atMs } of rehearsal.effects) {
    for (const name of rivals) {
      const { notBeforeMs = 0, isHarmless }: Rival = RIVALS[name];
      if (atMs - beginningMs < notBeforeMs || !isDrawn()) continue;
      const run = await runScenario(scenario, seed, [{ what: `rival ${name}`, n }]);
      yield isHarmless === true ? comparedTo(rehearsal, run) : run;
    }
  }
}

/**
 * Delays of three kinds. A process stalls just before one of its side effects, while the world goes on. A
 * call between the services arrives late. A step is delivered a second time. Late deliveries come just before
 * every later side effect, and after all of them.
 */
export async function* exploreLate(
  scenario: Scenario,
  seed: number,
  isDrawn: Draw = every,
): AsyncGenerator<Run> {
  const { effects } = await runScenario(scenario, seed, []);
  for (const { n } of effects.filter(isSideEffect)) {
    if (isDrawn()) yield await runScenario(scenario, seed, [{ what: 'stalls', n }]);
  }
  for (const delay of delaysOf(effects)) {
    const alone = await runScenario(scenario, seed, [delay]);
    yield alone;
    const later = alone.effects.filter((one) => one.n > delay.n && isSideEffect(one));
    for (const { n } of later) {
      if (!isDrawn()) continue;
      yield await runScenario(scenario, seed, [delay, { what: 'arrival', n }]);
    }
  }
}

/**
 * The saga's execution is aborted just before each side effect, and the dispatcher has to start the next run. A
 * step dies there too, runs on, or stalls and then runs on. Its calls, and the whole step once more, come just
 * before each side effect of the next run, and after all of them.
 */
export async function* exploreLostRuns(
  scenario: Scenario,
  seed: number,
  isDrawn: Draw = every,
): AsyncGenerator<Run> {
  const { effects } = await runScenario(scenario, seed, []);
  const start = effects.find(({ operation }) => operation === 'StartExecution')?.n ?? Infinity;
  for (const one of effects) {
    if (one.n <= start || !isSideEffect(one) || isInventorys(one)) continue;
    const { n, invocation } = one;
    const lost = { what: 'loses its run at', n } as const;
    const isOfStep = executionOf(invocation) !== undefined;
    if (isOfStep) yield await runScenario(scenario, seed, [lost, { what: 'dies before', n }]);
    // The aborted execution ignores the step's end, so that it runs on matters once for each step.
    if (!isOfStep || isLast(one, effects)) yield await runScenario(scenario, seed, [lost]);
    if (isOfStep && isDrawn()) {
      yield await runScenario(scenario, seed, [lost, { what: 'stalls', n }]);
    }
  }
  for (const delay of delaysOf(effects)) {
    const { invocation } = effects[delay.n - 1] ?? {};
    const execution = invocation && executionOf(invocation);
    if (execution === undefined || !isDrawn()) continue;
    const strikes = [{ what: 'loses its run at', n: delay.n } as const, delay];
    const alone = await runScenario(scenario, seed, strikes);
    yield alone;
    for (const one of alone.effects) {
      const next = executionOf(one.invocation);
      const isOfNextRun = one.n > delay.n && next !== undefined && next !== execution;
      if (!isOfNextRun || !isSideEffect(one) || !isDrawn()) continue;
      yield await runScenario(scenario, seed, [...strikes, { what: 'arrival', n: one.n }]);
    }
  }
}

/** Tells if it is the last side effect of its invocation. */
function isLast({ n, invocation }: RecordedEffect, effects: readonly RecordedEffect[]): boolean {
  return effects.findLast((one) => one.invocation === invocation && isSideEffect(one))?.n === n;
}

/** Inventory's own effects: to the saga they are the call of its step. */
function isInventorys({ target }: RecordedEffect): boolean {
  return target.endsWith('-inventory');
}

function delaysOf(effects: readonly RecordedEffect[]): Strike[] {
  const calls = effects.filter(({ kind, operation }) => kind === 'http' && operation !== 'GET');
  const first = new Map(effects.toReversed().map((one) => [one.invocation, one.n]));
  const steps = effects.filter(
    ({ n, invocation }) => first.get(invocation) === n && isRedelivered(invocation),
  );
  return [
    ...calls.map(({ n }) => ({ what: 'is late', n }) as const),
    ...steps.map(({ n }) => ({ what: 'comes again', n }) as const),
  ];
}

/** The state machine or a queue redelivers; a user's retry is another call. */
function isRedelivered({ event }: RecordedEffect['invocation']): boolean {
  return typeof event === 'object' && event !== null && ('run' in event || 'Records' in event);
}

function faultsAt(effects: readonly RecordedEffect[]): Strike[] {
  return effects.filter(isSideEffect).flatMap(({ n }) => FAULT_NAMES.map((what) => ({ what, n })));
}

/** Adds a violation if the run ends differently from the rehearsal: a harmless rival must change nothing. */
function comparedTo(rehearsal: Run, run: Run): Run {
  // Of calls at the same moment, another one may be the first.
  const [expected, ended] = [rehearsal, run].map(({ ends }) =>
    ends
      .map((end) => JSON.stringify(end))
      .sort()
      .join(' '),
  );
  if (expected === ended) return run;
  const words = `P4: it ends as ${String(ended)} instead of ${String(expected)}`;
  return { ...run, violations: [...run.violations, words] };
}
