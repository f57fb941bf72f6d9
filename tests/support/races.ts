import { expect } from 'vitest';
import { Interleaving } from './interleaving.ts';
import { expectPromisesAtRest } from './invariants.ts';
import { isSimulated } from './target.ts';
import type { TestStack } from './test-stack.ts';

/** How many schedules each race is run with; RACE_SCHEDULES=200 for a longer look. */
const SCHEDULES = Number(process.env['RACE_SCHEDULES'] ?? (isSimulated ? 24 : 12));
/** A schedule that does not vary would prove nothing. */
const LEAST_DIFFERENT_SCHEDULES = 4;

/**
 * Runs one race under many schedules. `prepare` sets the scene undisturbed, `race` starts what
 * happens at the same moment, `outcome` says what came of it; after every run the promises must hold
 * at rest.
 * @returns how often each outcome was seen.
 */
export async function manySchedules<Scene>(
  stack: TestStack,
  prepare: () => Promise<Scene>,
  race: (scene: Scene, schedule: Interleaving) => readonly (() => Promise<unknown>)[],
  outcome: (scene: Scene, answers: readonly unknown[]) => Promise<string>,
): Promise<Record<string, number>> {
  const schedules = new Set<string>();
  const outcomes: Record<string, number> = {};
  for (let seed = 1; seed <= SCHEDULES; seed += 1) {
    const scene = await prepare();
    const schedule = new Interleaving(seed);
    const answers = await schedule.run(stack, () =>
      Promise.all(race(scene, schedule).map((go) => go())),
    );
    schedules.add(schedule.fingerprint);
    const seen = await outcome(scene, answers);
    outcomes[seen] = (outcomes[seen] ?? 0) + 1;
    await expectPromisesAtRest(stack);
  }
  expect(schedules.size).toBeGreaterThan(LEAST_DIFFERENT_SCHEDULES);
  return outcomes;
}

/** Every outcome that was seen is one of those that may be. */
export function expectOnly(outcomes: Record<string, number>, ...allowed: readonly string[]): void {
  expect(allowed).toEqual(expect.arrayContaining(Object.keys(outcomes)));
}
