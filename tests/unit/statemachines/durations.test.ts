import { describe, expect, test } from 'vitest';
import { OrderSettled } from '../../../lib/orders/saga/signals.ts';
import { Durations } from '../../../statemachines/durations.ts';
import type { RetryPolicy, StateMachine, TaskState } from '../../../statemachines/state-machine.ts';

type Name = 'First' | 'Pause' | 'Second' | 'Aside' | 'Failed' | 'Done';

const MEASURES = {
  amountOf: (name: string) => (name === 'RETRY_MAX_ATTEMPTS' ? 2 : 100),
  callMs: (service: string) => (service === 'inventory' ? 2000 : 5000),
  awsCallMs: 1000,
};

function retries(changes: Partial<RetryPolicy> = {}): RetryPolicy {
  return {
    on: [OrderSettled],
    intervalSeconds: 1,
    maxAttempts: 3,
    backoffRate: 2,
    maxDelaySeconds: 3,
    jitter: 'FULL',
    ...changes,
  };
}

function task(changes: Partial<TaskState<Name>> = {}): TaskState<Name> {
  return {
    type: 'Task',
    comment: '',
    invokes: 'any',
    calls: [],
    timeoutSeconds: 30,
    resultPath: null,
    retry: [],
    catch: [],
    ...changes,
  };
}

/** Without retries a task lasts a second, the call to AWS. */
function machine(states: Partial<StateMachine<Name>['states']>): StateMachine<Name> {
  return {
    comment: '',
    startAt: 'First',
    states: {
      First: task({ next: 'Second' }),
      Pause: { type: 'Wait', comment: '', seconds: 7, next: 'First' },
      Second: task(),
      Aside: task({ next: 'Second' }),
      Failed: { type: 'Fail', error: '', cause: '' },
      Done: { type: 'Succeed', comment: '' },
      ...states,
    },
  };
}

const secondsOf = (states: Partial<StateMachine<Name>['states']>, until: Name[] = []) =>
  new Durations(machine(states), MEASURES).passageMs('First', until) / 1000;

describe('a task', () => {
  test('lasts for its calls, each up to its time-out, and one to AWS', () => {
    expect(secondsOf({ First: task({ calls: ['inventory', 'gateway'] }) })).toBe(2 + 5 + 1);
  });

  test('never lasts longer than its own time-out', () => {
    const calls = ['gateway', 'gateway'] as const;
    expect(secondsOf({ First: task({ calls, timeoutSeconds: 4 }) })).toBe(4);
  });

  test('that is retried lasts for all attempts and all delays, which stop growing', () => {
    expect(secondsOf({ First: task({ retry: [retries()] }) })).toBe(4 * 1 + 1 + 2 + 3);
  });

  test('uses up the retries of every retrier', () => {
    const pause = retries({ intervalSeconds: 5, maxAttempts: 1, maxDelaySeconds: 60 });
    expect(secondsOf({ First: task({ retry: [retries(), pause] }) })).toBe(5 * 1 + 6 + 5);
  });

  test('whose function never ran before a retry pays for the delays of that retrier only', () => {
    const throttled = retries({ isAnsweredAtOnce: true });
    expect(secondsOf({ First: task({ retry: [retries(), throttled] }) })).toBe(4 * 1 + 6 + 6);
  });

  test('takes the numbers that the table only names', () => {
    const retry = [retries({ maxAttempts: 'RETRY_MAX_ATTEMPTS' })];
    expect(secondsOf({ First: task({ retry }) })).toBe(3 * 1 + 1 + 2);
  });

  test('that waits for its token lasts for its attempts and one whole wait', () => {
    const waiting = task({ waitsWith: {}, timeoutSeconds: 180, retry: [retries()] });
    expect(secondsOf({ First: waiting })).toBe(4 * 1 + 6 + 180);
  });
});

describe('a passage', () => {
  const aside = [{ on: [OrderSettled], next: 'Aside' as const }];

  test('takes the longest way, also where a failure leads', () => {
    expect(secondsOf({ First: task({ next: 'Second', catch: aside }) })).toBe(3);
  });

  test('ends before a state that it lasts until', () => {
    expect(secondsOf({ First: task({ next: 'Second', catch: aside }) }, ['Aside'])).toBe(2);
  });

  test('leaves out a way back that begins anew', () => {
    const back = [{ on: [OrderSettled], next: 'First' as const, anew: 'The user decides.' }];
    expect(secondsOf({ First: task({ next: 'Second' }), Second: task({ catch: back }) })).toBe(2);
  });

  test('counts a way back inside it: its rounds, and one more', () => {
    const paused = [{ on: [OrderSettled], next: 'Pause' as const, roundsSeconds: 120 }];
    expect(secondsOf({ First: task({ catch: paused }) })).toBe(1 + 120 + 7 + 1);
  });

  test('refuses a way back of which nothing is said', () => {
    const back = [{ on: [OrderSettled], next: 'First' as const }];
    expect(() =>
      secondsOf({ First: task({ next: 'Second' }), Second: task({ catch: back }) }),
    ).toThrow('The way back to First needs');
  });
});

test('an arrival counts tries and no waits', () => {
  const First = task({ next: 'Aside', waitsWith: {}, timeoutSeconds: 900, retry: [retries()] });
  const durations = new Durations(machine({ First }), MEASURES);
  expect(durations.arrivalMs('Second')).toBe((4 * 1 + 6 + 1) * 1000);
});
