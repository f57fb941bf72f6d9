import { expect, test } from 'vitest';
import { ClientWait } from '../../../../../lib/orders/http/client-wait.ts';
import { InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { orderIn, World } from '../fakes.ts';

const TAKE = 'take wait place';

/** A stage with one place for a longer wait. */
const world = () => new World(orderIn('CREATED'));

/** Waits until it is over. @returns how long it lasted, in milliseconds. */
async function waitOut({ service }: World, seconds: number): Promise<number> {
  let nowMs = 0;
  const clock = {
    now: () => nowMs,
    schedule: (delayMs: number, callback: () => void) => {
      nowMs += delayMs;
      queueMicrotask(callback);
      return () => undefined;
    },
  };
  const config = { ...service.config, MAX_LONG_WAITS: 1 };
  const wait = new ClientWait({ ...service, clock, config }, seconds);
  while (await wait.pause());
  return nowMs;
}

test.each([0, 1])('a wait of %i s takes no place', async (seconds) => {
  const stage = world();
  expect(await waitOut(stage, seconds)).toBe(seconds * 1000);
  expect(stage.calls).toEqual([]);
});

test('a longer wait takes one place, and lasts as long as it is to', async () => {
  const stage = world();
  expect(await waitOut(stage, 10)).toBe(10_000);
  expect(stage.calls).toEqual([TAKE]);
});

test('without a place left a wait ends with its first pause after a second', async () => {
  const stage = world();
  await waitOut(stage, 10);
  const waitedMs = await waitOut(stage, 10);
  expect(waitedMs).toBeGreaterThanOrEqual(1000);
  expect(waitedMs).toBeLessThan(1250);
  expect(stage.calls).toEqual([TAKE, TAKE]);
});

test('a count that cannot be read ends the wait, and no call fails', async () => {
  const stage = world();
  stage.failAt(TAKE, new InfrastructureUnavailable('Away.'));
  expect(await waitOut(stage, 10)).toBeLessThan(1250);
});

test('a defect is not hidden', async () => {
  const stage = world();
  stage.failAt(TAKE, new TypeError('A defect.'));
  await expect(waitOut(stage, 10)).rejects.toThrow('A defect.');
});
