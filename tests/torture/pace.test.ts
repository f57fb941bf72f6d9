import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sleep } from '../../lib/platform/clock.ts';
import { VirtualClock } from '../../torture/world/virtual-clock.ts';
import { Pace } from '../support/simulated/pace.ts';

const MINUTE_MS = 60_000;

/** A world without any work except the test's. */
function emptyWorld() {
  const clock = new VirtualClock();
  const startMs = clock.now();
  const pace = new Pace({ clock, runUntilIdle: () => nextTurn() });
  return { clock, pace, passedMs: () => clock.now() - startMs };
}

test('time passes until the work is done, and no further', async () => {
  const { clock, pace, passedMs } = emptyWorld();
  clock.schedule(2 * MINUTE_MS, () => undefined);
  const work = async () => {
    await sleep(clock, MINUTE_MS);
    return 'done';
  };
  expect(await pace.during(work)).toBe('done');
  expect(passedMs()).toBe(MINUTE_MS);
});

test('work that needs no time lets none pass', async () => {
  const { clock, pace, passedMs } = emptyWorld();
  clock.schedule(MINUTE_MS, () => undefined);
  await pace.during(() => nextTurn());
  expect(passedMs()).toBe(0);
});

test('time passes once for all who wait, each until their own time', async () => {
  const { clock, pace, passedMs } = emptyWorld();
  const ends: number[] = [];
  const wait = async (minutes: number) => {
    await pace.during(() => sleep(clock, minutes * MINUTE_MS));
    ends.push(passedMs() / MINUTE_MS);
  };
  await Promise.all([wait(3), wait(1), wait(2)]);
  expect(ends).toEqual([1, 2, 3]);
  // A waiter that comes after all others have gone starts time again.
  await wait(1);
  expect(ends).toEqual([1, 2, 3, 4]);
});

test('what falls due on the way happens in order, each at its own time', async () => {
  const { clock, pace, passedMs } = emptyWorld();
  const fired: number[] = [];
  for (const minutes of [2, 1, 3]) {
    clock.schedule(minutes * MINUTE_MS, () => fired.push(passedMs() / MINUTE_MS));
  }
  await pace.advance(2.5 * MINUTE_MS);
  expect(fired).toEqual([1, 2]);
  expect(passedMs()).toBe(2.5 * MINUTE_MS);
});

test('a check is repeated as time passes, until it holds', async () => {
  const { clock, pace, passedMs } = emptyWorld();
  let isReady = false;
  clock.schedule(1000, () => {
    isReady = true;
  });
  await pace.eventually(() => {
    expect(isReady).toBe(true);
  }, MINUTE_MS);
  expect(passedMs()).toBe(1000);
});

test('a check that waits for time itself gets it', async () => {
  const { clock, pace } = emptyWorld();
  const check = () => pace.during(() => sleep(clock, 5000));
  await pace.eventually(check, MINUTE_MS);
});

test('a check that never holds is given up at its limit, with what it said last', async () => {
  const { pace, passedMs } = emptyWorld();
  const check = () => Promise.reject(new Error(`not after ${String(passedMs())} ms`));
  await expect(pace.eventually(check, 1000)).rejects.toThrow('not after 1000 ms');
});

test('what is held back is let go before time passes', async () => {
  const { clock, pace, passedMs } = emptyWorld();
  clock.schedule(MINUTE_MS, () => undefined);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let held = 1;
  const withdraw = pace.beforeTimePasses(() => {
    if (held === 0) return false;
    held -= 1;
    resolve(undefined);
    return true;
  });
  await pace.during(() => promise);
  withdraw();
  expect(passedMs()).toBe(0);
});

test('work that never ends is given up after a day', async () => {
  const { pace, passedMs } = emptyWorld();
  await expect(pace.during(() => new Promise(() => undefined))).rejects.toThrow('Nothing moves');
  expect(passedMs()).toBe(24 * 60 * MINUTE_MS);
});

test('whoever waits when it stops is told so', async () => {
  const { pace } = emptyWorld();
  const waiting = pace.during(() => new Promise(() => undefined));
  const told = expect(waiting).rejects.toThrow('has been stopped');
  await pace.stop();
  await told;
});
