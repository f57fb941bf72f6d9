import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FunctionName } from './lambda-functions.ts';
import { connect, only, type Target } from './target.ts';

const failing = { error: 'OutOfStock', message: 'none left' };

describe('tasks and flow', () => {
  let target: Target;
  beforeAll(async () => {
    target = await connect();
  });
  afterAll(() => target.close());

  const invokes = (name: FunctionName, fields: object = {}) => ({
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: target.connection.functionName(name), 'Payload.$': '$' },
    ...fields,
  });

  describe('Lambda tasks', () => {
    it('a function called by its ARN gets the input and gives the result', async () => {
      const executionArn = await target.run(only(target.calls('echo')), { a: [1, null] });
      expect(await target.output(executionArn)).toEqual({ a: [1, null] });
    });

    it('a function that returns nothing gives null', async () => {
      const executionArn = await target.run(only(target.calls('nothing')));
      expect(await target.output(executionArn)).toBeNull();
    });

    it('InputPath, Parameters, ResultSelector, ResultPath and OutputPath apply', async () => {
      const state = target.calls('echo', {
        InputPath: '$.order',
        Parameters: { 'id.$': '$.id', fixed: true },
        ResultSelector: { 'chosen.$': '$.id' },
        ResultPath: '$.result',
        OutputPath: '$.result.chosen',
      });
      const executionArn = await target.run(only(state), { order: { id: 'o-1' } });
      expect(await target.output(executionArn)).toBe('o-1');
    });

    it('lambda:invoke answers status, version and payload', async () => {
      const executionArn = await target.run(only(invokes('echo')), { a: 1 });
      expect(await target.output(executionArn)).toMatchObject({
        StatusCode: 200,
        ExecutedVersion: '$LATEST',
        Payload: { a: 1 },
      });
    });

    it('the context object tells execution, state machine and state', async () => {
      const stateMachineArn = await target.create(
        only({
          Type: 'Pass',
          Parameters: {
            'execution.$': '$$.Execution.Id',
            'executionName.$': '$$.Execution.Name',
            'input.$': '$$.Execution.Input',
            'startTime.$': '$$.Execution.StartTime',
            'machine.$': '$$.StateMachine.Id',
            'state.$': '$$.State.Name',
            'enteredTime.$': '$$.State.EnteredTime',
          },
        }),
      );
      const executionArn = await target.start(stateMachineArn, { a: 1 });
      const output = await target.output(executionArn);
      const { name, startDate } = await target.describe(executionArn);
      expect(output).toMatchObject({
        execution: executionArn,
        executionName: name,
        input: { a: 1 },
        machine: stateMachineArn,
        state: 'Only',
      });
      const { startTime, enteredTime } = output as { startTime: string; enteredTime: string };
      expect(Date.parse(startTime)).toBe(startDate?.getTime());
      expect(Date.parse(enteredTime)).toBeGreaterThanOrEqual(Date.parse(startTime));
    });

    it('an uncaught error fails the execution with its name and details', async () => {
      const executionArn = await target.run(only(target.calls('fail')), failing);
      const { status, error, cause } = await target.ended(executionArn);
      expect({ status, error }).toEqual({ status: 'FAILED', error: 'OutOfStock' });
      expect(JSON.parse(cause ?? '')).toMatchObject({
        errorType: 'OutOfStock',
        errorMessage: 'none left',
      });
    });

    it('the history of a function called by its ARN', async () => {
      const executionArn = await target.run(only(target.calls('echo')), { a: 1 });
      await target.ended(executionArn);
      const events = await target.history(executionArn);
      expect(events.map(({ type }) => type)).toEqual([
        'ExecutionStarted',
        'TaskStateEntered',
        'LambdaFunctionScheduled',
        'LambdaFunctionStarted',
        'LambdaFunctionSucceeded',
        'TaskStateExited',
        'ExecutionSucceeded',
      ]);
      expect(events[2]?.lambdaFunctionScheduledEventDetails).toMatchObject({
        resource: target.connection.functionArn('echo'),
        input: '{"a":1}',
      });
      expect(events[4]?.lambdaFunctionSucceededEventDetails?.output).toBe('{"a":1}');
    });

    it('the history of a failing lambda:invoke', async () => {
      const executionArn = await target.run(only(invokes('fail')), failing);
      await target.ended(executionArn);
      const events = await target.history(executionArn);
      expect(events.map(({ type }) => type)).toEqual([
        'ExecutionStarted',
        'TaskStateEntered',
        'TaskScheduled',
        'TaskStarted',
        'TaskFailed',
        'ExecutionFailed',
      ]);
      expect(events[2]?.taskScheduledEventDetails).toMatchObject({
        resourceType: 'lambda',
        resource: 'invoke',
      });
      expect(events[4]?.taskFailedEventDetails?.error).toBe('OutOfStock');
      expect(events[5]?.executionFailedEventDetails?.error).toBe('OutOfStock');
    });
  });

  describe('Retry and Catch', () => {
    const flaky = (failures: number) => ({ key: randomUUID(), failures, error: 'Flaky' });
    const retry = [
      { ErrorEquals: ['Other'], MaxAttempts: 9 },
      { ErrorEquals: ['Flaky'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 },
    ];

    it('a task that fails and is retried succeeds', async () => {
      const executionArn = await target.run(
        only(target.calls('flaky', { Retry: retry })),
        flaky(2),
      );
      expect(await target.output(executionArn)).toEqual({ calls: 3 });
      const types = (await target.history(executionArn)).map(({ type }) => type);
      expect(types.filter((type) => type === 'LambdaFunctionFailed')).toHaveLength(2);
      expect(types.filter((type) => type === 'TaskStateEntered')).toHaveLength(1);
    });

    it('each attempt knows how often its state was retried, and since when it is in it', async () => {
      const state = { 'retry.$': '$$.State.RetryCount', 'entered.$': '$$.State.EnteredTime' };
      const attempts = invokes('fail', {
        Parameters: {
          FunctionName: target.connection.functionName('fail'),
          Payload: { error: 'Flaky', message: 'again', ...state },
        },
        Retry: retry,
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Again' }],
        End: true,
      });
      const executionArn = await target.run({
        StartAt: 'First',
        States: {
          First: attempts,
          Again: { Type: 'Pass', Next: 'Second' },
          Second: { ...attempts, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Last' }] },
          Last: { Type: 'Pass', End: true },
        },
      });
      await target.ended(executionArn);
      const payloads = (await target.history(executionArn))
        .filter(({ type }) => type === 'TaskScheduled')
        .map(({ taskScheduledEventDetails: scheduled }) => {
          const { Payload } = JSON.parse(scheduled?.parameters ?? '') as {
            Payload: { retry: number; entered: string };
          };
          return Payload;
        });
      expect(payloads.map(({ retry: count }) => count)).toEqual([0, 1, 2, 0, 1, 2]);
      const [first, second, third, fourth] = payloads.map(({ entered }) => Date.parse(entered));
      expect([second, third]).toEqual([first, first]);
      expect(Number(fourth)).toBeGreaterThan(Number(first));
    });

    it('exhausted retries fail the execution with the last error', async () => {
      const executionArn = await target.run(
        only(target.calls('flaky', { Retry: retry })),
        flaky(3),
      );
      const { error, cause } = await target.ended(executionArn);
      expect(error).toBe('Flaky');
      expect(JSON.parse(cause ?? '')).toHaveProperty('errorMessage', 'call 3');
    });

    it('an error that no retrier names is not retried', async () => {
      const executionArn = await target.run(only(target.calls('fail', { Retry: retry })), failing);
      expect(await target.ended(executionArn)).toHaveProperty('error', 'OutOfStock');
      const types = (await target.history(executionArn)).map(({ type }) => type);
      expect(types.filter((type) => type === 'LambdaFunctionFailed')).toHaveLength(1);
    });

    it('an error is caught by its name, Error and Cause in the result path', async () => {
      const executionArn = await target.run(
        {
          StartAt: 'Reserve',
          States: {
            Reserve: target.calls('fail', {
              Catch: [
                { ErrorEquals: ['UnknownProduct'], Next: 'Wrong' },
                { ErrorEquals: ['OutOfStock'], ResultPath: '$.failure', Next: 'Right' },
                { ErrorEquals: ['States.ALL'], Next: 'Wrong' },
              ],
              Next: 'Wrong',
            }),
            Right: { Type: 'Pass', End: true },
            Wrong: { Type: 'Fail' },
          },
        },
        failing,
      );
      const { failure, ...input } = (await target.output(executionArn)) as {
        failure: { Error: string; Cause: string };
      };
      expect(input).toEqual(failing);
      expect(failure.Error).toBe('OutOfStock');
      expect(JSON.parse(failure.Cause)).toMatchObject({
        errorType: 'OutOfStock',
        errorMessage: 'none left',
      });
    });

    for (const wildcard of ['States.ALL', 'States.TaskFailed']) {
      it(`${wildcard} catches what has no name of its own`, async () => {
        const executionArn = await target.run(
          {
            StartAt: 'Reserve',
            States: {
              Reserve: target.calls('fail', {
                Catch: [{ ErrorEquals: [wildcard], Next: 'Caught' }],
                End: true,
              }),
              Caught: { Type: 'Pass', Result: 'caught', End: true },
            },
          },
          failing,
        );
        expect(await target.output(executionArn)).toBe('caught');
      });
    }

    it('a function slower than TimeoutSeconds is States.Timeout', async () => {
      const executionArn = await target.run(only(target.calls('slow', { TimeoutSeconds: 1 })), {
        milliseconds: 3000,
      });
      const { status, error } = await target.ended(executionArn);
      expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.Timeout' });
      const types = (await target.history(executionArn)).map(({ type }) => type);
      expect(types.slice(-2)).toEqual(['LambdaFunctionTimedOut', 'ExecutionFailed']);
    });

    it('States.TaskFailed does not catch a time-out, States.Timeout does', async () => {
      const executionArn = await target.run(
        {
          StartAt: 'Slow',
          States: {
            Slow: target.calls('slow', {
              TimeoutSeconds: 1,
              Catch: [
                { ErrorEquals: ['States.TaskFailed'], Next: 'Wrong' },
                { ErrorEquals: ['States.Timeout'], Next: 'Right' },
              ],
              End: true,
            }),
            Right: { Type: 'Pass', Result: 'timed out', End: true },
            Wrong: { Type: 'Fail' },
          },
        },
        { milliseconds: 3000 },
      );
      expect(await target.output(executionArn)).toBe('timed out');
    });
  });

  describe('flow', () => {
    it('Wait holds the execution until its time has passed', async () => {
      const executionArn = await target.run(only({ Type: 'Wait', Seconds: 2 }), { a: 1 });
      await target.event(executionArn, 'WaitStateEntered');
      expect(await target.describe(executionArn)).toHaveProperty('status', 'RUNNING');
      expect(await target.output(executionArn)).toEqual({ a: 1 });
      const { startDate, stopDate } = await target.describe(executionArn);
      expect(Number(stopDate) - Number(startDate)).toBeGreaterThanOrEqual(2000);
    });

    it('Wait takes its seconds from the input', async () => {
      const executionArn = await target.run(only({ Type: 'Wait', SecondsPath: '$.seconds' }), {
        seconds: 1,
      });
      await target.event(executionArn, 'WaitStateEntered');
      expect(await target.output(executionArn)).toEqual({ seconds: 1 });
    });

    it('Wait ends at its timestamp', async () => {
      const executionArn = await target.run({
        StartAt: 'Later',
        States: {
          Later: {
            Type: 'Wait',
            TimestampPath: '$$.Execution.StartTime',
            Next: 'Done',
          },
          Done: { Type: 'Pass', Result: 'done', End: true },
        },
      });
      expect(await target.output(executionArn)).toBe('done');
    });

    it('Choice follows the first rule that holds, or the default', async () => {
      const stateMachineArn = await target.create({
        StartAt: 'Choose',
        States: {
          Choose: {
            Type: 'Choice',
            Choices: [
              { Variable: '$.total', NumericGreaterThan: 100, Next: 'Large' },
              { Variable: '$.kind', StringEquals: 'gift', Next: 'Gift' },
            ],
            Default: 'Plain',
          },
          Large: { Type: 'Pass', Result: 'large', End: true },
          Gift: { Type: 'Pass', Result: 'gift', End: true },
          Plain: { Type: 'Succeed' },
        },
      });
      const outputs = [];
      for (const input of [
        { total: 101, kind: 'gift' },
        { total: 1, kind: 'gift' },
        { total: 1, kind: 'own' },
      ]) {
        outputs.push(await target.output(await target.start(stateMachineArn, input)));
      }
      expect(outputs).toEqual(['large', 'gift', { total: 1, kind: 'own' }]);
    });

    it('Choice without a match and a default is States.NoChoiceMatched', async () => {
      const executionArn = await target.run(
        {
          StartAt: 'Choose',
          States: {
            Choose: {
              Type: 'Choice',
              Choices: [{ Variable: '$.a', NumericEquals: 2, Next: 'Two' }],
            },
            Two: { Type: 'Succeed' },
          },
        },
        { a: 1 },
      );
      expect(await target.ended(executionArn)).toMatchObject({
        status: 'FAILED',
        error: 'States.NoChoiceMatched',
      });
    });

    it('Map runs a function over every item, in order', async () => {
      const executionArn = await target.run(
        only({
          Type: 'Map',
          ItemProcessor: {
            StartAt: 'Each',
            States: { Each: target.calls('echo', { End: true }) },
          },
        }),
        [{ n: 1 }, { n: 2 }, { n: 3 }],
      );
      expect(await target.output(executionArn)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
      const types = (await target.history(executionArn)).map(({ type }) => type);
      expect(types.slice(1, 3)).toEqual(['MapStateEntered', 'MapStateStarted']);
      expect(types.slice(-3)).toEqual([
        'MapStateSucceeded',
        'MapStateExited',
        'ExecutionSucceeded',
      ]);
      expect(types.filter((type) => type === 'MapIterationSucceeded')).toHaveLength(3);
    });

    it('an error in one branch of a Parallel is caught by the Parallel', async () => {
      const executionArn = await target.run(
        {
          StartAt: 'Both',
          States: {
            Both: {
              Type: 'Parallel',
              Branches: [
                { StartAt: 'Bad', States: { Bad: target.calls('fail', { End: true }) } },
                { StartAt: 'Long', States: { Long: { Type: 'Wait', Seconds: 3600, End: true } } },
              ],
              Catch: [{ ErrorEquals: ['OutOfStock'], Next: 'Caught' }],
              End: true,
            },
            Caught: { Type: 'Pass', Result: 'caught', End: true },
          },
        },
        failing,
      );
      expect(await target.output(executionArn)).toBe('caught');
      const types = (await target.history(executionArn)).map(({ type }) => type);
      expect(types).toContain('ParallelStateFailed');
      expect(types).not.toContain('ParallelStateSucceeded');
    });
  });
});
