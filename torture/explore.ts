import { currentRuntime } from '../lib/platform/runtime.ts';
import { examine } from '../tools/doctor/examine.ts';
import { brokenPromises } from './promises.ts';
import type { Scenario } from './scenarios.ts';
import { LIMIT_MS, Shop } from './shop.ts';
import type { RecordedEffect, WorldInterceptor } from './world/effect-log.ts';
import { dieAfter, dieBefore, type Fault, loseAnswer } from './world/faults.ts';
import { createWorld, type World } from './world/world.ts';

/** What a process may do to the world: reads change nothing. */
const CHANGES: readonly string[] = [
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'TransactWriteItems',
  'SendMessage',
  'StartExecution',
  'SendTaskSuccess',
];

export const FAULTS = {
  'dies before': dieBefore,
  'dies after': dieAfter,
  'loses the answer of': loseAnswer,
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;

const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

/** The fault, and the number of the effect that it strikes. */
export interface Strike {
  readonly fault: FaultName;
  readonly n: number;
}

export interface Run {
  readonly scenario: string;
  readonly strikes: readonly Strike[];
  readonly effects: readonly RecordedEffect[];
  /** In words; none where every promise holds. */
  readonly violations: readonly string[];
  /** On the fake clock, the longest time from an act of the user until nothing moved any more. */
  readonly restMs: number;
  /** Of each order its status and what its charges came to, oldest first. */
  readonly ends: readonly (readonly [order: string, charges: readonly string[]])[];
}

/** A database write, a message, a start or a signal of a saga, a call over HTTP. */
export function isSideEffect({ kind, operation }: RecordedEffect): boolean {
  return kind === 'http' || CHANGES.includes(operation);
}

/**
 * Runs a scenario in a world of its own, with those faults and no others, lets retries, dispatcher
 * and sweepers do their work until rest, and looks what became of the promises.
 */
export async function runScenario(
  scenario: Scenario,
  seed: number,
  strikes: readonly Strike[],
): Promise<Run> {
  const { configuration = {} } = scenario;
  const world = await createWorld({ seed, configuration });
  const shop = new Shop(world);
  world.setInterceptor(interceptorFor(scenario, shop, strikes));
  const violations: string[] = [];
  try {
    await scenario.act(shop);
    await shop.rest();
    violations.push(...(await violationsIn(world, shop.acknowledged)));
  } catch (error) {
    violations.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
  const effects = [...world.effects];
  const { orders, charges } = world.snapshot();
  const ends = orders.map(
    ({ orderId, status }) =>
      [status, (charges.get(orderId) ?? []).map((charge) => charge.status)] as const,
  );
  await world.stop();
  const restMs = shop.longestRestMs;
  return { scenario: scenario.name, strikes, effects, violations, restMs, ends };
}

/** Of a world at rest. The doctor looks with its own eyes, as an operator's would. */
async function violationsIn(world: World, acknowledged: ReadonlySet<string>): Promise<string[]> {
  const { charges, ...stored } = world.snapshot();
  const violations = Object.entries(brokenPromises(stored, charges)).flatMap(([promise, broken]) =>
    broken.map((words) => `${promise}: ${words}`),
  );
  const known = new Set(stored.orders.map(({ orderId }) => orderId));
  for (const orderId of acknowledged) {
    if (!known.has(orderId)) violations.push(`P4: ${orderId} was acknowledged and is lost`);
  }
  const examination = examine(currentRuntime(), {
    fix: false,
    graceMs: 0,
    pageSize: 100,
    tell: ({ disagreement: { check, found } }) => {
      violations.push(`doctor: ${check}, ${found}`);
    },
  });
  const { isClean } = await world.until(examination, LIMIT_MS);
  if (!isClean && violations.length === 0) violations.push('doctor: not clean');
  return violations;
}

function interceptorFor(
  { meanwhile, cutOff }: Scenario,
  shop: Shop,
  strikes: readonly Strike[],
): WorldInterceptor {
  let isOver = meanwhile === undefined;
  return (async (effect: RecordedEffect, proceed: () => Promise<unknown>) => {
    const strike = strikes.find(({ n }) => n === effect.n);
    if (cutOff?.(effect) === true) throw new TypeError('fetch failed');
    const struck = strike === undefined ? proceed : () => FAULTS[strike.fault](effect, proceed);
    if (isOver || meanwhile?.on(effect) !== true) return struck();
    isOver = true;
    return meanwhile.act(shop, effect, struck);
  }) as WorldInterceptor;
}

/** One run for every side effect of the scenario and every fault, after one without any. */
export async function* exploreCrashes(scenario: Scenario, seed: number): AsyncGenerator<Run> {
  const rehearsal = await runScenario(scenario, seed, []);
  yield rehearsal;
  for (const { n } of rehearsal.effects.filter(isSideEffect)) {
    for (const fault of FAULT_NAMES) yield await runScenario(scenario, seed, [{ fault, n }]);
  }
}

/**
 * Runs with two faults, as many as are asked for: the second one strikes any side effect that comes
 * after the first, also of what makes up for it.
 * @param random decides which; the same numbers, the same pairs.
 */
export async function* explorePairs(
  scenario: Scenario,
  seed: number,
  count: number,
  random: () => number,
): AsyncGenerator<Run> {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)];
  const points = (await runScenario(scenario, seed, [])).effects.filter(isSideEffect);
  const afterFirst = new Map<string, readonly RecordedEffect[]>();
  for (let pair = 0; pair < count; pair += 1) {
    const first = { fault: pick(FAULT_NAMES) ?? 'dies before', n: pick(points)?.n ?? 1 };
    const key = `${first.fault} ${String(first.n)}`;
    const effects = afterFirst.get(key) ?? (await runScenario(scenario, seed, [first])).effects;
    afterFirst.set(key, effects);
    const later = effects.filter((effect) => effect.n > first.n && isSideEffect(effect));
    const second = { fault: pick(FAULT_NAMES) ?? 'dies before', n: pick(later)?.n ?? first.n };
    yield await runScenario(scenario, seed, [first, second]);
  }
}
