import {
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, only, type Target } from './target.ts';

describe('task tokens', () => {
  let target: Target;
  beforeAll(async () => {
    target = await connect();
  });
  afterAll(() => target.close());

  const succeed = (taskToken: string, output: unknown = {}) =>
    target.client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) }));
  const fail = (taskToken: string, error = 'Refused', cause = 'no reason') =>
    target.client.send(new SendTaskFailureCommand({ taskToken, error, cause }));
  const heartbeat = (taskToken: string) =>
    target.client.send(new SendTaskHeartbeatCommand({ taskToken }));
  const signals = [
    ['SendTaskSuccess', succeed],
    ['SendTaskFailure', fail],
    ['SendTaskHeartbeat', heartbeat],
  ] as const;

  it('a task waits for its token after its function returned', async () => {
    const executionArn = await target.run(only(target.waitsForToken()));
    const token = await target.token(executionArn);
    expect(await target.describe(executionArn)).toHaveProperty('status', 'RUNNING');
    await succeed(token, { paid: true });
    expect(await target.output(executionArn)).toEqual({ paid: true });
  });

  it('the history of a task that waits for its token', async () => {
    const executionArn = await target.run(only(target.waitsForToken({ TimeoutSeconds: 60 })));
    const token = await target.token(executionArn);
    await target.event(executionArn, 'TaskSubmitted');
    await succeed(token, { paid: true });
    await target.ended(executionArn);
    const events = await target.history(executionArn);
    expect(events.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    expect(events[2]?.taskScheduledEventDetails).toMatchObject({
      resourceType: 'lambda',
      resource: 'invoke.waitForTaskToken',
      timeoutInSeconds: 60,
    });
    expect(events[2]?.taskScheduledEventDetails?.parameters).toContain(token);
    expect(events[5]?.taskSucceededEventDetails?.output).toBe('{"paid":true}');
  });

  it('a token may be answered before its function returned', async () => {
    const executionArn = await target.run(only(target.waitsForToken({}, { milliseconds: 1500 })));
    await succeed(await target.token(executionArn), 'early');
    expect(await target.output(executionArn)).toBe('early');
  });

  it('a function that throws fails the task by its name, and its token', async () => {
    const executionArn = await target.run(only(target.waitsForToken({}, { error: 'OutOfStock' })));
    expect(await target.ended(executionArn)).toHaveProperty('error', 'OutOfStock');
    await expect(succeed(await target.token(executionArn))).rejects.toHaveProperty(
      'name',
      'TaskTimedOut',
    );
  });

  it('SendTaskFailure is caught by its error, with its cause', async () => {
    const executionArn = await target.run({
      StartAt: 'Pay',
      States: {
        Pay: target.waitsForToken({
          Catch: [
            { ErrorEquals: ['Other'], Next: 'Wrong' },
            { ErrorEquals: ['Declined'], Next: 'Right' },
          ],
          End: true,
        }),
        Right: { Type: 'Pass', End: true },
        Wrong: { Type: 'Fail' },
      },
    });
    await fail(await target.token(executionArn), 'Declined', 'no funds');
    expect(await target.output(executionArn)).toEqual({ Error: 'Declined', Cause: 'no funds' });
  });

  it('an uncaught SendTaskFailure fails the execution', async () => {
    const executionArn = await target.run(only(target.waitsForToken()));
    await fail(await target.token(executionArn), 'Declined', 'no funds');
    expect(await target.ended(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'Declined',
      cause: 'no funds',
    });
  });

  it('every retry has a token of its own', async () => {
    const executionArn = await target.run(
      only(
        target.waitsForToken({
          Retry: [{ ErrorEquals: ['Again'], IntervalSeconds: 1, MaxAttempts: 1 }],
        }),
      ),
    );
    const first = await target.token(executionArn);
    await fail(first, 'Again');
    await target.event(executionArn, 'TaskFailed');
    target.connection.letPass(1);
    const second = await target.token(executionArn, 2);
    expect(second).not.toBe(first);
    await expect(succeed(first)).rejects.toHaveProperty('name', 'TaskTimedOut');
    await succeed(second, 'second');
    expect(await target.output(executionArn)).toBe('second');
  });

  it('of many signals at once exactly one is accepted', async () => {
    const executionArn = await target.run(only(target.waitsForToken()));
    const token = await target.token(executionArn);
    const answers = await Promise.allSettled([
      succeed(token, 1),
      succeed(token, 2),
      fail(token),
      succeed(token, 3),
    ]);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await target.ended(executionArn);
  });

  for (const [operation, signal] of signals) {
    it(`${operation}: a token answered before is TaskTimedOut`, async () => {
      const executionArn = await target.run(only(target.waitsForToken()));
      const token = await target.token(executionArn);
      await succeed(token);
      await expect(signal(token)).rejects.toHaveProperty('name', 'TaskTimedOut');
    });

    it(`${operation}: the token of a task that timed out is TaskTimedOut`, async () => {
      const executionArn = await target.run(only(target.waitsForToken({ TimeoutSeconds: 1 })));
      const token = await target.token(executionArn);
      const { status, error } = await target.ended(executionArn);
      expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.Timeout' });
      await expect(signal(token)).rejects.toHaveProperty('name', 'TaskTimedOut');
    });

    it(`${operation}: the token of a stopped execution is TaskTimedOut`, async () => {
      const executionArn = await target.run(only(target.waitsForToken()));
      const token = await target.token(executionArn);
      await target.client.send(new StopExecutionCommand({ executionArn }));
      await expect(signal(token)).rejects.toHaveProperty('name', 'TaskTimedOut');
      expect(await target.describe(executionArn)).toHaveProperty('status', 'ABORTED');
    });

    it(`${operation}: a made-up token is InvalidToken`, async () => {
      await expect(signal('made-up')).rejects.toHaveProperty('name', 'InvalidToken');
    });
  }

  it('the token of an execution that timed out is TaskTimedOut', async () => {
    const executionArn = await target.run(only(target.waitsForToken(), { TimeoutSeconds: 1 }));
    const token = await target.token(executionArn);
    expect(await target.ended(executionArn)).toHaveProperty('status', 'TIMED_OUT');
    await expect(succeed(token)).rejects.toHaveProperty('name', 'TaskTimedOut');
  });

  it('a time-out is caught as States.Timeout and the execution goes on', async () => {
    const executionArn = await target.run({
      StartAt: 'Wait',
      States: {
        Wait: target.waitsForToken({
          TimeoutSeconds: 1,
          Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Late' }],
          End: true,
        }),
        Late: { Type: 'Pass', Result: 'late', End: true },
      },
    });
    await target.token(executionArn);
    expect(await target.output(executionArn)).toBe('late');
  });

  it('a token answered after its task timed out does not disturb what follows', async () => {
    const executionArn = await target.run({
      StartAt: 'Wait',
      States: {
        Wait: target.waitsForToken({
          TimeoutSeconds: 1,
          Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Hold' }],
          End: true,
        }),
        Hold: { Type: 'Wait', Seconds: 2, Next: 'Done' },
        Done: { Type: 'Pass', Result: 'undisturbed', End: true },
      },
    });
    const token = await target.token(executionArn);
    target.connection.letPass(1);
    await target.event(executionArn, 'WaitStateEntered');
    await expect(succeed(token)).rejects.toHaveProperty('name', 'TaskTimedOut');
    expect(await target.output(executionArn)).toBe('undisturbed');
  });

  it('a task without heartbeats is States.HeartbeatTimeout', async () => {
    const executionArn = await target.run(
      only(target.waitsForToken({ TimeoutSeconds: 60, HeartbeatSeconds: 1 })),
    );
    const token = await target.token(executionArn);
    await heartbeat(token);
    expect(await target.ended(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.HeartbeatTimeout',
    });
    await expect(heartbeat(token)).rejects.toHaveProperty('name', 'TaskTimedOut');
  });

  it('output that is not JSON is InvalidOutput, and the task goes on waiting', async () => {
    const executionArn = await target.run(only(target.waitsForToken()));
    const taskToken = await target.token(executionArn);
    await expect(
      target.client.send(new SendTaskSuccessCommand({ taskToken, output: '{' })),
    ).rejects.toHaveProperty('name', 'InvalidOutput');
    await succeed(taskToken, 'valid');
    expect(await target.output(executionArn)).toBe('valid');
  });

  const twoWaits = () => ({
    Type: 'Parallel',
    Branches: ['One', 'Two'].map((name) => ({
      StartAt: name,
      States: { [name]: target.waitsForToken({ End: true }) },
    })),
  });

  it('branches of a Parallel wait for tokens of their own', async () => {
    const executionArn = await target.run(only(twoWaits()));
    const tokens = [await target.token(executionArn), await target.token(executionArn, 2)];
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) await succeed(token, 'done');
    expect(await target.output(executionArn)).toEqual(['done', 'done']);
  });

  it('a branch that fails closes the other branch and its token', async () => {
    const executionArn = await target.run({
      StartAt: 'Both',
      States: {
        Both: {
          ...twoWaits(),
          Catch: [{ ErrorEquals: ['Refused'], Next: 'Hold' }],
          End: true,
        },
        Hold: { Type: 'Wait', Seconds: 3600, End: true },
      },
    });
    const [first, second] = [await target.token(executionArn), await target.token(executionArn, 2)];
    await fail(first, 'Refused');
    await target.event(executionArn, 'WaitStateEntered');
    await expect(succeed(second)).rejects.toHaveProperty('name', 'TaskTimedOut');
  });
});
