import type { CarriedOut } from '../../local/dynamodb/memory-dynamodb.ts';
import {
  type AlwaysLimits,
  brokenAlways,
  brokenEntries,
  brokenSuccession,
  brokenWrites,
  tooManyPieces,
} from '../always.ts';
import { violationsAtRest } from '../at-rest.ts';
import { limitsOf, longestRestMs } from '../longest-rest.ts';
import { type Outages, outagesOf } from '../outages.ts';
import { LIMIT_MS } from '../shop.ts';
import { watch } from '../watch.ts';
import type { WorldInterceptor } from '../world/effect-log.ts';
import { createWorld, type World } from '../world/world.ts';
import { brokenHistory } from './check-history.ts';
import { Client } from './client.ts';
import { drawPlan } from './draw-plan.ts';
import { FaultInjector, type Struck } from './fault-injector.ts';
import type { FaultCounts } from './fault-kinds.ts';
import type { Call, Outcome } from './history.ts';
import type { Plan } from './plan.ts';

export interface HistoryRun {
  readonly seed: number;
  /** The plan that was run; running it again repeats the history. */
  readonly plan: Plan;
  /** Number of recorded calls; an operation may make several. */
  readonly operations: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Number of strikes by kind. */
  readonly faults: FaultCounts;
  /** One message each; empty if every promise held. */
  readonly violations: readonly string[];
  /** World time from the last call and the last fault until rest. */
  readonly restMs: number;
  /** Longest time to rest, by design. */
  readonly restLimitMs: number;
  readonly calls: readonly Call[];
  readonly struck: readonly Struck[];
  /** Final status of each order, oldest first. */
  readonly ends: readonly string[];
}

/** Further messages about one run add little. */
const MOST_VIOLATIONS = 20;

/**
 * Runs one history in a world of its own: calls and faults as planned, then no more faults until rest, then
 * all checks. The same seed and plan repeat the same history, call by call.
 * @param plan defaults to the plan of the seed.
 */
export async function runHistory(seed: number, plan: Plan = drawPlan(seed)): Promise<HistoryRun> {
  const history = new LivedHistory();
  const { configuration, products } = plan;
  const world = await createWorld({
    seed,
    configuration,
    products,
    delivery: (message) => history.delivery(message),
    onWrite: (writes) => {
      history.look(writes);
    },
  });
  try {
    return await history.live(world, plan);
  } finally {
    await world.stop();
  }
}

class LivedHistory {
  readonly #violations = new Set<string>();
  #world: World | undefined;
  #limits: AlwaysLimits = { allowanceMs: 0, maxOpenOrders: 0, defaultMaxPerOrder: 0 };
  #outages: Outages | undefined;
  #faults: FaultInjector | undefined;

  async live(world: World, plan: Plan): Promise<HistoryRun> {
    const faults = new FaultInjector(plan, world);
    const client = new Client(world, faults, plan);
    this.#world = world;
    this.#limits = limitsOf(world);
    this.#faults = faults;
    const outages = outagesOf(world);
    this.#outages = outages;
    world.setInterceptor(outages.watching(this.#watching(world, faults.intercept)));
    let restMs = 0;
    try {
      await world.until(client.run(), LIMIT_MS);
      await world.advance(plan.faultsGoOnMs);
      restMs = await this.#rest(world, faults);
      if (plan.isLeftToExpire) {
        await world.advance(world.runtime.config.RESERVATION_TTL_SECONDS * 1000);
        await world.runToRest(LIMIT_MS);
      }
      await this.#check(world, plan, client.calls);
    } catch (error) {
      this.#violations.add(
        error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      );
    }
    const count = (outcome: Outcome) =>
      client.calls.filter((call) => call.outcome === outcome).length;
    return {
      seed: plan.seed,
      plan,
      operations: client.calls.length,
      outcomes: { ok: count('ok'), fail: count('fail'), unknown: count('unknown') },
      faults: faults.counts,
      violations: [...this.#violations].slice(0, MOST_VIOLATIONS),
      restMs,
      restLimitMs: longestRestMs(world.runtime.config, world.snapshot()),
      calls: client.calls,
      struck: faults.struck,
      ends: world
        .snapshot()
        .orders.map(({ status, history: steps }) => `${status} ${steps.at(-1)?.reason ?? ''}`),
    };
  }

  delivery(message: Parameters<FaultInjector['delivery']>[0]): readonly number[] {
    return this.#faults?.delivery(message) ?? [0];
  }

  look(writes: readonly CarriedOut[]): void {
    const world = this.#world;
    if (world === undefined) return;
    const stored = world.snapshot();
    this.#add([
      ...brokenWrites(writes),
      ...brokenEntries(writes, stored, world.clock.now()),
      ...brokenSuccession(writes, world.requester()),
      ...tooManyPieces(writes, stored, this.#limits),
      ...(this.#outages?.brokenCircuits(writes) ?? []),
      ...brokenAlways(stored, world.clock.now(), this.#limits),
    ]);
  }

  #add(violations: readonly string[]): void {
    for (const words of violations) this.#violations.add(words);
  }

  /** Also checks the promises at each charge and each write. */
  #watching(world: World, intercept: WorldInterceptor): WorldInterceptor {
    const violated = (words: readonly string[]) => {
      this.#add(words);
    };
    return (effect, proceed) => intercept(effect, watch(world, effect, proceed, violated));
  }

  /** Ends the faults, delivers delayed calls, and measures the time to rest from there. */
  async #rest(world: World, faults: FaultInjector): Promise<number> {
    faults.stop();
    const sinceMs = world.clock.now();
    await world.runToRest(LIMIT_MS);
    const restMs = world.clock.now() - sinceMs;
    const limitMs = longestRestMs(world.runtime.config, world.snapshot());
    if (restMs > limitMs) {
      this.#add([`rest: it took ${String(restMs)} ms, and at most ${String(limitMs)} by design`]);
    }
    while (faults.onTheirWay > 0) await world.advance(60_000);
    await world.runToRest(LIMIT_MS);
    return restMs;
  }

  async #check(
    world: World,
    { products, configuration }: Plan,
    calls: readonly Call[],
  ): Promise<void> {
    this.#add(await violationsAtRest(world));
    const duplicateWindowMs = Number(configuration['DUPLICATE_WINDOW_SECONDS'] ?? 600) * 1000;
    this.#add(brokenHistory({ calls, products, duplicateWindowMs }, world.snapshot()));
  }
}
