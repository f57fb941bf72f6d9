import type { NewProduct } from '../lib/inventory/create-product.ts';
import type { CarriedOut } from '../local/dynamodb/memory-dynamodb.ts';
import { SEED_PRODUCTS } from '../local/stack/seed-products.ts';
import {
  brokenAlways,
  brokenEntries,
  brokenSuccession,
  brokenWrites,
  deafWrites,
  expiredEarly,
  tooManyPieces,
} from './always.ts';
import { violationsAtRest } from './at-rest.ts';
import { limitsOf, longestRestMs } from './longest-rest.ts';
import { outagesOf } from './outages.ts';
import type { Scenario } from './scenarios.ts';
import { Shop } from './shop.ts';
import { Striker } from './striker.ts';
import { isLostRun, type Strike } from './strikes.ts';
import { watch } from './watch.ts';
import type { RecordedEffect, WorldInterceptor } from './world/effect-log.ts';
import { createWorld } from './world/world.ts';

export interface Run {
  readonly scenario: string;
  readonly strikes: readonly Strike[];
  readonly effects: readonly RecordedEffect[];
  /** One message each; empty if every promise holds. */
  readonly violations: readonly string[];
  /** World time: the longest from a user's act until rest. */
  readonly restMs: number;
  /** Each order's status and the status of its charges, oldest first. */
  readonly ends: readonly (readonly [order: string, charges: readonly string[]])[];
}

/** The seed products, of which one order may have all there is: a rival and a vain change want more than is left. */
const PRODUCTS: readonly NewProduct[] = SEED_PRODUCTS.map(
  ({ maxPerOrder: _limit, ...product }) => product,
);

/**
 * Runs a scenario in a world of its own with exactly these strikes, until retries, dispatcher and sweepers
 * bring it to rest. Checks the promises at every write, at every charge, and at rest.
 */
export async function runScenario(
  scenario: Scenario,
  seed: number,
  strikes: readonly Strike[],
): Promise<Run> {
  const { configuration = {}, concurrency } = scenario;
  // Ignores the writes that create the world.
  let onWrite: (writes: readonly CarriedOut[]) => void = () => undefined;
  const world = await createWorld({
    seed,
    configuration,
    concurrency,
    products: PRODUCTS,
    onWrite: (writes) => {
      onWrite(writes);
    },
  });
  const limits = limitsOf(world);
  const outages = outagesOf(world);
  const violations = new Set<string>();
  const violated = (words: readonly string[]) => {
    for (const one of words) violations.add(one);
  };
  onWrite = (writes) => {
    const stored = world.snapshot();
    violated(brokenWrites(writes));
    violated(brokenEntries(writes, stored, world.clock.now()));
    violated(brokenSuccession(writes, world.requester()));
    violated(expiredEarly(writes, world.clock.now()));
    violated(deafWrites(writes, world.requester(), stored));
    violated(tooManyPieces(writes, stored, limits));
    violated(outages.brokenCircuits(writes));
    violated(brokenAlways(stored, world.clock.now(), limits));
  };
  const shop = new Shop(world);
  const striker = new Striker(shop, strikes);
  world.setInterceptor(outages.watching(interceptorFor(scenario, shop, striker, violated)));
  if (scenario.admission !== undefined) world.setAdmission(scenario.admission(shop));
  try {
    await scenario.act(shop);
    await shop.rest();
    if (await striker.arrive()) await shop.rest();
    violated(brokenAlways(world.snapshot(), world.clock.now(), limits));
    violated(await violationsAtRest(world));
    violated(shop.acknowledged.lostIn(world.snapshot()));
    violated(scenario.unlike?.(shop) ?? []);
    violated(tooLate(scenario, strikes, shop));
  } catch (error) {
    violated([error instanceof Error ? `${error.name}: ${error.message}` : String(error)]);
  }
  const effects = [...world.effects];
  const { orders, charges } = world.snapshot();
  const ends = orders.map(
    ({ orderId, status }) =>
      [status, (charges.get(orderId) ?? []).map((charge) => charge.status)] as const,
  );
  await world.stop();
  const restMs = shop.longestRestMs;
  return {
    scenario: scenario.name,
    strikes,
    effects,
    violations: [...violations],
    restMs,
    ends,
  };
}

/** P5: the world rests within the time limit of the design. */
function tooLate(
  { rest }: Scenario,
  strikes: readonly Strike[],
  { world, longestRestMs: restMs }: Shop,
): string[] {
  const lostRuns = strikes.filter(isLostRun).length;
  // A lost run is found at the deadline of the order's state.
  const foundMs = lostRuns === 0 ? 0 : longestRestMs(world.runtime.config, world.snapshot());
  const limitSeconds =
    rest.undisturbed + (strikes.length - lostRuns) * rest.perStrike + (lostRuns * foundMs) / 1000;
  if (restMs <= limitSeconds * 1000) return [];
  return [
    `P5: it took ${String(restMs / 1000)} s to come to rest, more than ${String(limitSeconds)}`,
  ];
}

function interceptorFor(
  { meanwhile, cutOff, answering }: Scenario,
  shop: Shop,
  striker: Striker,
  violated: (words: readonly string[]) => void,
): WorldInterceptor {
  let isOver = meanwhile === undefined;
  const answered = answering?.(shop);
  return (async (effect: RecordedEffect, proceed: () => Promise<unknown>) => {
    if (cutOff?.(effect) === true) throw new TypeError('fetch failed');
    const answer = answered === undefined ? proceed : () => answered(effect, proceed);
    const watched = watch(shop.world, effect, answer, violated);
    const struck = () => striker.intercept(effect, watched);
    if (isOver || meanwhile?.on(effect) !== true) return struck();
    isOver = true;
    return meanwhile.act(shop, effect, struck);
  }) as WorldInterceptor;
}
