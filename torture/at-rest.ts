import { currentRuntime } from '../lib/platform/lambda/runtime.ts';
import { examine } from '../tools/doctor/examine.ts';
import { brokenPromises, deafWaits } from './promises.ts';
import { LIMIT_MS } from './shop.ts';
import type { World } from './world/world.ts';

/**
 * Violations in a world at rest; each message begins with the promise's number. The doctor examines the world
 * too, with checks of its own.
 */
export async function violationsAtRest(world: World): Promise<string[]> {
  const { charges, ...stored } = world.snapshot();
  const violations = Object.entries(brokenPromises(stored, charges)).flatMap(([promise, broken]) =>
    broken.map((words) => `${promise}: ${words}`),
  );
  violations.push(...deafWaits(stored));
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
