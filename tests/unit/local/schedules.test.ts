import { describe, expect, it } from 'vitest';
import { Schedules } from '../../../local/stack/schedules.ts';
import { TravelClock } from '../../../local/stack/travel-clock.ts';

describe('Schedules', () => {
  function schedulesOf(invoke: (key: string) => Promise<unknown>) {
    const clock = new TravelClock();
    const schedules = new Schedules({
      clock,
      intervalMs: 60_000,
      functionKeys: ['dispatch', 'expire'],
      invoke,
    });
    return { clock, schedules };
  }

  it('runs every function at every interval of the clock until it is stopped', async () => {
    const runs: string[] = [];
    const { clock, schedules } = schedulesOf((key) => Promise.resolve(runs.push(key)));
    schedules.start();
    await clock.advance(130_000);
    await schedules.stop();
    await clock.advance(130_000);
    expect(runs).toEqual(['dispatch', 'expire', 'dispatch', 'expire']);
  });

  it('goes on after a failure', async () => {
    const runs: string[] = [];
    const { clock, schedules } = schedulesOf((key) => {
      runs.push(key);
      return Promise.reject(new Error('Crashed'));
    });
    schedules.start();
    await clock.advance(130_000);
    await schedules.stop();
    expect(runs).toHaveLength(4);
  });

  it('leaves a turn out while the function still runs', async () => {
    const runs: string[] = [];
    const slow = Promise.withResolvers<undefined>();
    const { clock, schedules } = schedulesOf((key) => {
      runs.push(key);
      return key === 'dispatch' ? slow.promise : Promise.resolve();
    });
    schedules.start();
    await clock.advance(130_000);
    slow.resolve(undefined);
    await schedules.stop();
    expect(runs).toEqual(['dispatch', 'expire', 'expire']);
  });

  it('runs each function once on demand, after the run that is under way', async () => {
    const events: string[] = [];
    const { schedules } = schedulesOf(async (key) => {
      events.push(`${key} starts`);
      await Promise.resolve();
      events.push(`${key} ends`);
    });
    const first = schedules.runAll();
    await schedules.runAll();
    await first;
    expect(events.filter((event) => event.startsWith('dispatch'))).toEqual([
      'dispatch starts',
      'dispatch ends',
      'dispatch starts',
      'dispatch ends',
    ]);
  });
});
