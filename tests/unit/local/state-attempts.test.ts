import { expect, test } from 'vitest';
import { StateAttempts } from '../../../local/step-functions/state-attempts.ts';

interface Context {
  readonly EnteredTime: string;
  readonly RetryCount: number;
}

test('states that are entered while the clock stands still are told apart', () => {
  const clock = { now: () => 1000, schedule: () => () => undefined };
  const attempts = new StateAttempts(clock);
  const enter = () => {
    const { EnteredTime, RetryCount } = attempts.contextOf('Wait') as Context;
    attempts.started('Wait');
    return [Date.parse(EnteredTime), RetryCount];
  };
  expect([enter(), enter()]).toEqual([
    [1000, 0],
    [1000, 1],
  ]);
  attempts.left('Wait');
  expect([enter(), enter()]).toEqual([
    [1001, 0],
    [1001, 1],
  ]);
});
