import { expect } from 'vitest';
import { Interleaving } from './interleaving.ts';
import { expectPromisesAtRest } from './invariants.ts';
import { isSimulated } from './target.ts';
import type { TestStack } from './test-stack.ts';

/** Number of schedules per race; RACE_SCHEDULES=200 for a longer look. */
const SCHEDULES = Number(process.env['RACE_SCHEDULES'] ?? (isSimulated ? 32 : 8));
/** Minimum of different schedules. In real time, the machine's load also decides which effects wait together. */
const LEAST_DIFFERENT_SCHEDULES = isSimulated ? 5 : 2;

/**
 * Runs one race under many schedules. `prepare` sets the scene without interference, `race` starts the
 * concurrent acts, `outcome` names the result. After every run, the promises must hold at rest.
 * @returns the number of times that each outcome occurred.
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
  expect(schedules.size).toBeGreaterThanOrEqual(LEAST_DIFFERENT_SCHEDULES);
  return outcomes;
}

/** Checks that every outcome is an allowed one. */
export function expectOnly(outcomes: Record<string, number>, ...allowed: readonly string[]): void {
  expect(allowed).toEqual(expect.arrayContaining(Object.keys(outcomes)));
}
