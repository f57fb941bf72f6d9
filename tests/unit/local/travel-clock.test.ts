import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Schedules } from '../../../local/stack/schedules.ts';
import { TravelClock } from '../../../local/stack/travel-clock.ts';

const HOUR_MS = 3_600_000;

describe('TravelClock', () => {
  const clock = new TravelClock();
  afterEach(() => {
    clock.stop();
  });

  it('fires what falls due on the way in order, each at its own time', async () => {
    const start = clock.now();
    const fired: [string, number][] = [];
    const note = (name: string) => () => fired.push([name, clock.now() - start]);
    clock.schedule(3 * HOUR_MS, note('third'));
    clock.schedule(HOUR_MS, note('first'));
    clock.schedule(2 * HOUR_MS, note('second'));
    clock.schedule(9 * HOUR_MS, note('too late'));

    await clock.advance(4 * HOUR_MS);

    expect(fired.map(([name]) => name)).toEqual(['first', 'second', 'third']);
    // The schedule calls themselves may take a moment of real time.
    expect(fired.map(([, afterMs]) => Math.floor(afterMs / HOUR_MS))).toEqual([1, 2, 3]);
    expect(clock.now() - start).toBeGreaterThanOrEqual(4 * HOUR_MS);
  });

  it('fires timers that are set on the way when they fall due before the end', async () => {
    const fired: string[] = [];
    clock.schedule(HOUR_MS, () => {
      clock.schedule(HOUR_MS, () => fired.push('on the way'));
      clock.schedule(HOUR_MS * 3, () => fired.push('after the end'));
    });

    await clock.advance(3 * HOUR_MS);

    expect(fired).toEqual(['on the way']);
  });

  it('lets a timer that was set on the way come between two that stood before', async () => {
    const fired: string[] = [];
    clock.schedule(HOUR_MS, () => {
      fired.push('first');
      clock.schedule(HOUR_MS / 2, () => fired.push('between'));
    });
    clock.schedule(2 * HOUR_MS, () => fired.push('last'));

    await clock.advance(2 * HOUR_MS);

    expect(fired).toEqual(['first', 'between', 'last']);
  });

  it('waits after each timer until what it set off has settled', async () => {
    const settling = new TravelClock();
    const events: string[] = [];
    settling.settle = () => Promise.resolve(events.push('settled'));
    settling.schedule(HOUR_MS, () => events.push('one'));
    settling.schedule(2 * HOUR_MS, () => events.push('two'));

    await settling.advance(3 * HOUR_MS);

    expect(events).toEqual(['settled', 'one', 'settled', 'two', 'settled']);
  });

  it('fires in turn the timers of one moment', async () => {
    const fired: number[] = [];
    await clock.advance(0);
    for (const number of [1, 2, 3]) clock.schedule(HOUR_MS, () => fired.push(number));

    await clock.advance(2 * HOUR_MS);

    expect(fired).toEqual([1, 2, 3]);
  });

  it('does not fire a cancelled timer, even one cancelled on the way', async () => {
    const fired: string[] = [];
    const cancel = clock.schedule(2 * HOUR_MS, () => fired.push('cancelled'));
    clock.schedule(HOUR_MS, cancel);

    await clock.advance(3 * HOUR_MS);

    expect(fired).toEqual([]);
  });

  it('runs by itself too', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      clock.schedule(20, () => {
        order.push('later');
        resolve();
      });
      clock.schedule(1, () => order.push('sooner'));
    });

    expect(order).toEqual(['sooner', 'later']);
  });

  it('lets jumps asked for at once follow each other', async () => {
    const start = clock.now();
    await Promise.all([clock.advance(HOUR_MS), clock.advance(HOUR_MS)]);
    expect(clock.now() - start).toBeGreaterThanOrEqual(2 * HOUR_MS);
  });

  describe('when the system clock is set', () => {
    function settableClock() {
      let setByMs = 0;
      const set = new TravelClock({
        systemNow: () => Date.now() + setByMs,
        monotonicNow: () => performance.now(),
      });
      onTestFinished(() => {
        set.stop();
      });
      return {
        clock: set,
        setBy: (ms: number) => {
          setByMs += ms;
        },
      };
    }

    it('still fires in its time what was set before, if it is set back', async () => {
      const { clock: set, setBy } = settableClock();
      const startMs = set.now();
      const beganAt = performance.now();
      const fired = new Promise<void>((resolve) => {
        set.schedule(50, resolve);
      });
      setBy(-HOUR_MS);
      await fired;
      expect(performance.now() - beganAt).toBeLessThan(5000);
      expect(set.now()).toBeGreaterThanOrEqual(startMs + 49);
    });

    it('runs schedules on and on, however often it is set back', async () => {
      const { clock: set, setBy } = settableClock();
      let rounds = 0;
      const schedules = new Schedules({
        clock: set,
        intervalMs: 5,
        functionKeys: ['dispatch'],
        invoke: () => {
          rounds += 1;
          setBy(-HOUR_MS);
          return Promise.resolve();
        },
      });
      schedules.start();
      await vi.waitFor(() => {
        expect(rounds).toBeGreaterThan(3);
      });
      await schedules.stop();
    });

    it('follows it forward, as after a sleep of the machine', () => {
      const { clock: set, setBy } = settableClock();
      const startMs = set.now();
      setBy(HOUR_MS);
      expect(set.now()).toBeGreaterThanOrEqual(startMs + HOUR_MS);
    });

    it('still lands where a jump was to lead', async () => {
      const { clock: set, setBy } = settableClock();
      const startMs = set.now();
      set.schedule(HOUR_MS / 2, () => {
        setBy(-9 * HOUR_MS);
      });
      await set.advance(HOUR_MS);
      expect(set.now() - startMs).toBeGreaterThanOrEqual(HOUR_MS);
      expect(set.now() - startMs).toBeLessThan(HOUR_MS + 5000);
    });
  });

  it('calls back in the async context of whoever set the timer', async () => {
    const caller = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    for (const name of ['a', 'b']) {
      caller.run(name, () => clock.schedule(HOUR_MS, () => seen.push(caller.getStore())));
    }

    await clock.advance(2 * HOUR_MS);

    expect(seen).toEqual(['a', 'b']);
  });
});
