import { randomUUID } from 'node:crypto';
import {
  DescribeExecutionCommand,
  type ExecutionStatus,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, only, type Target } from './target.ts';

const pass = only({ Type: 'Pass' });
const waitForever = only({ Type: 'Wait', Seconds: 31_536_000 });

describe('executions', () => {
  let target: Target;
  beforeAll(async () => {
    target = await connect();
  });
  afterAll(() => target.close());

  const startNamed = (stateMachineArn: string, name: string, input?: string) =>
    target.client.send(new StartExecutionCommand({ stateMachineArn, name, input }));
  const stop = (executionArn: string, details: { error?: string; cause?: string } = {}) =>
    target.client.send(new StopExecutionCommand({ executionArn, ...details }));

  describe('StartExecution', () => {
    it('a finished execution is described with its input and output', async () => {
      const stateMachineArn = await target.create(pass);
      const name = `run-${randomUUID()}`;
      const { executionArn = '', startDate } = await startNamed(stateMachineArn, name, '{"a": 1}');
      const described = await target.ended(executionArn);
      expect(described).toMatchObject({
        executionArn,
        stateMachineArn,
        name,
        status: 'SUCCEEDED',
        input: '{"a": 1}',
      });
      expect(JSON.parse(described.output ?? '')).toEqual({ a: 1 });
      expect(described.startDate).toEqual(startDate);
      expect(described.stopDate).toBeInstanceOf(Date);
      expect(executionArn).toBe(
        `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`,
      );
    });

    it('without a name and an input it is given both', async () => {
      const stateMachineArn = await target.create(pass);
      const { executionArn = '' } = await target.client.send(
        new StartExecutionCommand({ stateMachineArn }),
      );
      const { name, input } = await target.describe(executionArn);
      expect(name).toMatch(/^[0-9a-f-]{36}$/);
      expect(input).toBe('{}');
    });

    it('repeated while it runs, with the same input, answers the first', async () => {
      const stateMachineArn = await target.create(waitForever);
      const first = await startNamed(stateMachineArn, 'same', '{"a":1}');
      const second = await startNamed(stateMachineArn, 'same', '{"a":1}');
      expect(second.executionArn).toBe(first.executionArn);
      expect(second.startDate).toEqual(first.startDate);
    });

    it('repeated while it runs, with another input, is ExecutionAlreadyExists', async () => {
      const stateMachineArn = await target.create(waitForever);
      await startNamed(stateMachineArn, 'same', '{"a":1}');
      await expect(startNamed(stateMachineArn, 'same', '{"a":2}')).rejects.toHaveProperty(
        'name',
        'ExecutionAlreadyExists',
      );
    });

    it('repeated after it closed is ExecutionAlreadyExists', async () => {
      const stateMachineArn = await target.create(pass);
      const { executionArn = '' } = await startNamed(stateMachineArn, 'same', '{}');
      await target.ended(executionArn);
      await expect(startNamed(stateMachineArn, 'same', '{}')).rejects.toHaveProperty(
        'name',
        'ExecutionAlreadyExists',
      );
    });

    it('a name is free in another state machine', async () => {
      const [one, other] = [await target.create(waitForever), await target.create(waitForever)];
      const first = await startNamed(one, 'same', '{"a":1}');
      const second = await startNamed(other, 'same', '{"a":2}');
      expect(second.executionArn).not.toBe(first.executionArn);
    });

    for (const name of ['a b', 'a<b', 'a*b', 'a/b', 'a:b', 'a\u0001b', 'a'.repeat(81)]) {
      it(`the name ${JSON.stringify(name)} is InvalidName`, async () => {
        const stateMachineArn = await target.create(pass);
        await expect(startNamed(stateMachineArn, name)).rejects.toHaveProperty(
          'name',
          'InvalidName',
        );
      });
    }

    it('input that is not JSON is InvalidExecutionInput', async () => {
      const stateMachineArn = await target.create(pass);
      await expect(startNamed(stateMachineArn, 'bad', '{a:1}')).rejects.toHaveProperty(
        'name',
        'InvalidExecutionInput',
      );
    });

    it('input over 256 KiB is refused', async () => {
      const stateMachineArn = await target.create(pass);
      const input = JSON.stringify('x'.repeat(256 * 1024));
      await expect(startNamed(stateMachineArn, 'big', input)).rejects.toHaveProperty(
        '$metadata.httpStatusCode',
        400,
      );
    });

    it('an unknown state machine is StateMachineDoesNotExist', async () => {
      const known = await target.create(pass);
      await expect(startNamed(`${known}-unknown`, 'x')).rejects.toHaveProperty(
        'name',
        'StateMachineDoesNotExist',
      );
    });

    it('200 executions at once all succeed, each with its own output', async () => {
      const stateMachineArn = await target.create(only(target.calls('echo')));
      const started = await Promise.all(
        Array.from({ length: 200 }, (_, number) => target.start(stateMachineArn, { number })),
      );
      const outputs = await Promise.all(started.map((arn) => target.output(arn)));
      expect(outputs).toEqual(Array.from({ length: 200 }, (_, number) => ({ number })));
    });
  });

  describe('DescribeExecution', () => {
    it('an unknown execution is ExecutionDoesNotExist', async () => {
      const executionArn = `${await target.run(pass)}-unknown`;
      await expect(target.describe(executionArn)).rejects.toHaveProperty(
        'name',
        'ExecutionDoesNotExist',
      );
    });

    it('what is not the ARN of an execution is InvalidArn', async () => {
      await expect(
        target.client.send(new DescribeExecutionCommand({ executionArn: 'not-an-arn' })),
      ).rejects.toHaveProperty('name', 'InvalidArn');
    });

    it('a Fail state is a failed execution with its error and cause', async () => {
      const executionArn = await target.run({
        StartAt: 'Stop',
        States: { Stop: { Type: 'Fail', Error: 'TooBad', Cause: 'because' } },
      });
      expect(await target.ended(executionArn)).toMatchObject({
        status: 'FAILED',
        error: 'TooBad',
        cause: 'because',
      });
    });

    it('an execution longer than TimeoutSeconds is TIMED_OUT', async () => {
      const executionArn = await target.run({ ...waitForever, TimeoutSeconds: 1 });
      const { status, stopDate } = await target.ended(executionArn);
      expect(status).toBe('TIMED_OUT');
      expect(stopDate).toBeInstanceOf(Date);
      expect((await target.history(executionArn)).at(-1)?.type).toBe('ExecutionTimedOut');
    });
  });

  describe('StopExecution', () => {
    it('a waiting execution is ABORTED with the error and cause given', async () => {
      const executionArn = await target.run(waitForever);
      const { stopDate } = await stop(executionArn, { error: 'Enough', cause: 'told so' });
      expect(stopDate).toBeInstanceOf(Date);
      expect(await target.ended(executionArn)).toMatchObject({
        status: 'ABORTED',
        error: 'Enough',
        cause: 'told so',
      });
      expect((await target.history(executionArn)).at(-1)).toMatchObject({
        type: 'ExecutionAborted',
        executionAbortedEventDetails: { error: 'Enough', cause: 'told so' },
      });
    });

    it('stopping a closed execution changes nothing', async () => {
      const executionArn = await target.run(pass);
      await target.ended(executionArn);
      await stop(executionArn);
      expect(await target.describe(executionArn)).toHaveProperty('status', 'SUCCEEDED');
    });

    it('stopping an unknown execution is ExecutionDoesNotExist', async () => {
      const executionArn = `${await target.run(pass)}-unknown`;
      await expect(stop(executionArn)).rejects.toHaveProperty('name', 'ExecutionDoesNotExist');
    });
  });

  describe('ListExecutions', () => {
    const list = (
      stateMachineArn: string,
      request: { statusFilter?: ExecutionStatus; maxResults?: number; nextToken?: string } = {},
    ) => target.client.send(new ListExecutionsCommand({ stateMachineArn, ...request }));

    it('pages run from the newest to the oldest, each execution once', async () => {
      const stateMachineArn = await target.create(waitForever);
      const names = ['one', 'two', 'three', 'four', 'five'];
      for (const name of names) await startNamed(stateMachineArn, name);
      const first = await list(stateMachineArn, { maxResults: 2 });
      const second = await list(stateMachineArn, {
        maxResults: 2,
        nextToken: first.nextToken ?? '',
      });
      const third = await list(stateMachineArn, {
        maxResults: 2,
        nextToken: second.nextToken ?? '',
      });
      const pages = [first, second, third].map((answer) =>
        (answer.executions ?? []).map((execution) => execution.name),
      );
      expect(pages).toEqual([['five', 'four'], ['three', 'two'], ['one']]);
      expect(third.nextToken).toBeUndefined();
    });

    it('a status filter leaves only that status', async () => {
      const stateMachineArn = await target.create(waitForever);
      const { executionArn = '' } = await startNamed(stateMachineArn, 'stopped');
      await startNamed(stateMachineArn, 'running');
      await stop(executionArn);
      const running = await list(stateMachineArn, { statusFilter: 'RUNNING' });
      expect(running.executions?.map(({ name }) => name)).toEqual(['running']);
      expect(running.executions?.[0]?.stopDate).toBeUndefined();
      const aborted = await list(stateMachineArn, { statusFilter: 'ABORTED' });
      expect(aborted.executions).toMatchObject([{ name: 'stopped', status: 'ABORTED' }]);
      expect(aborted.executions?.[0]?.stopDate).toBeInstanceOf(Date);
      const failed = await list(stateMachineArn, { statusFilter: 'FAILED' });
      expect(failed.executions).toEqual([]);
    });

    it('an unknown state machine has no list', async () => {
      const known = await target.create(pass);
      await expect(list(`${known}-unknown`)).rejects.toHaveProperty(
        'name',
        'StateMachineDoesNotExist',
      );
    });

    it('a page token that was never given out is InvalidToken', async () => {
      const stateMachineArn = await target.create(pass);
      await expect(list(stateMachineArn, { nextToken: 'made-up' })).rejects.toHaveProperty(
        'name',
        'InvalidToken',
      );
    });
  });

  describe('GetExecutionHistory', () => {
    const twoPasses = {
      StartAt: 'First',
      States: { First: { Type: 'Pass', Next: 'Second' }, Second: { Type: 'Pass', End: true } },
    };
    const eventTypes = [
      'ExecutionStarted',
      'PassStateEntered',
      'PassStateExited',
      'PassStateEntered',
      'PassStateExited',
      'ExecutionSucceeded',
    ];

    it('events tell the whole run, numbered from one', async () => {
      const executionArn = await target.run(twoPasses, { a: 1 });
      await target.ended(executionArn);
      const events = await target.history(executionArn);
      expect(events.map(({ type }) => type)).toEqual(eventTypes);
      expect(events.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(events.map(({ previousEventId }) => previousEventId)).toEqual([0, 0, 2, 3, 4, 5]);
      expect(events[0]?.executionStartedEventDetails?.input).toBe('{"a":1}');
      expect(events[1]?.stateEnteredEventDetails).toMatchObject({
        name: 'First',
        input: '{"a":1}',
      });
      expect(events[4]?.stateExitedEventDetails).toMatchObject({
        name: 'Second',
        output: '{"a":1}',
      });
      expect(events[5]?.executionSucceededEventDetails?.output).toBe('{"a":1}');
    });

    it('reverse order starts at the end', async () => {
      const executionArn = await target.run(twoPasses);
      await target.ended(executionArn);
      const { events = [] } = await target.client.send(
        new GetExecutionHistoryCommand({ executionArn, reverseOrder: true }),
      );
      expect(events.map(({ id }) => id)).toEqual([6, 5, 4, 3, 2, 1]);
    });

    for (const reverseOrder of [false, true]) {
      it(`pages hold every event once, reverse order ${String(reverseOrder)}`, async () => {
        const executionArn = await target.run(twoPasses);
        await target.ended(executionArn);
        const ids: (number | undefined)[] = [];
        let nextToken: string | undefined;
        do {
          const answer = await target.client.send(
            new GetExecutionHistoryCommand({
              executionArn,
              reverseOrder,
              maxResults: 4,
              nextToken,
            }),
          );
          ids.push(...(answer.events ?? []).map(({ id }) => id));
          nextToken = answer.nextToken;
        } while (nextToken !== undefined);
        expect(ids).toEqual(reverseOrder ? [6, 5, 4, 3, 2, 1] : [1, 2, 3, 4, 5, 6]);
      });
    }

    it('an unknown execution has no history', async () => {
      const executionArn = `${await target.run(pass)}-unknown`;
      await expect(target.history(executionArn)).rejects.toHaveProperty(
        'name',
        'ExecutionDoesNotExist',
      );
    });

    it('a page token that was never given out is InvalidToken', async () => {
      const executionArn = await target.run(pass);
      await expect(
        target.client.send(new GetExecutionHistoryCommand({ executionArn, nextToken: 'made-up' })),
      ).rejects.toHaveProperty('name', 'InvalidToken');
    });
  });
});
