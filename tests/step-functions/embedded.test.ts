import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../lib/platform/clock.ts';
import type { StepFunctionsServer } from '../../local/step-functions/server.ts';
import { clientOf, inProcessFunctions, startEmbedded } from './embedded.ts';
import { ManualClock } from './manual-clock.ts';
import { only, ROLE_ARN, Target } from './target.ts';

describe('the embedded server', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function start(
    invoke = inProcessFunctions(),
  ): Promise<{ clock: ManualClock; server: StepFunctionsServer; target: Target }> {
    const clock = new ManualClock();
    const server = await startEmbedded({ clock, invoke });
    const client = clientOf(server);
    const target = new Target({
      client,
      pollEveryMs: 0,
      invoke: inProcessFunctions(),
      functionName: (name) => name,
      functionArn: (name) => `arn:aws:lambda:eu-central-1:000000000000:function:${name}`,
      // Every test here moves the clock itself.
      letPass: () => undefined,
      close: async () => {
        client.destroy();
        await server.stop();
      },
    });
    stops.push(() => target.close());
    return { clock, server, target };
  }

  describe('time', () => {
    it('a task time-out of 900 s fires when the clock gets there, not before', async () => {
      const { clock, target } = await start();
      const executionArn = await target.run(only(target.waitsForToken({ TimeoutSeconds: 900 })));
      await target.event(executionArn, 'TaskSubmitted');
      clock.advance(899);
      expect(await target.describe(executionArn)).toHaveProperty('status', 'RUNNING');
      clock.advance(1);
      const { error, startDate, stopDate } = await target.ended(executionArn);
      expect(error).toBe('States.Timeout');
      expect(Number(stopDate) - Number(startDate)).toBe(900_000);
    });

    it('the state machine’s own time-out is on the clock', async () => {
      const { clock, target } = await start();
      const executionArn = await target.run(
        only({ Type: 'Wait', Seconds: 500 }, { TimeoutSeconds: 300 }),
      );
      clock.advance(300);
      expect(await target.ended(executionArn)).toHaveProperty('status', 'TIMED_OUT');
      expect(clock.pendingTimers).toBe(0);
    });

    it('retries back off on the clock', async () => {
      const invoke = vi.fn(() => Promise.reject(new Error('down')));
      const { clock, target } = await start(invoke);
      const executionArn = await target.run(
        only(
          target.calls('echo', {
            Retry: [
              { ErrorEquals: ['Error'], IntervalSeconds: 10, BackoffRate: 3, MaxAttempts: 2 },
            ],
          }),
        ),
      );
      await target.event(executionArn, 'LambdaFunctionFailed');
      clock.advance(9);
      await target.describe(executionArn);
      expect(invoke).toHaveBeenCalledTimes(1);
      clock.advance(1);
      await target.event(executionArn, 'LambdaFunctionFailed', 2);
      clock.advance(29);
      await target.describe(executionArn);
      expect(invoke).toHaveBeenCalledTimes(2);
      clock.advance(1);
      expect(await target.ended(executionArn)).toHaveProperty('error', 'Error');
      expect(invoke).toHaveBeenCalledTimes(3);
    });

    it('heartbeats put the heartbeat time-out off', async () => {
      const { clock, target } = await start();
      const executionArn = await target.run(
        only(target.waitsForToken({ TimeoutSeconds: 900, HeartbeatSeconds: 100 })),
      );
      const token = await target.token(executionArn);
      for (let beat = 0; beat < 3; beat += 1) {
        clock.advance(99);
        await target.client.send(new SendTaskHeartbeatCommand({ taskToken: token }));
      }
      clock.advance(100);
      const { error, startDate, stopDate } = await target.ended(executionArn);
      expect(error).toBe('States.HeartbeatTimeout');
      expect(Number(stopDate) - Number(startDate)).toBe(397_000);
    });

    it('Wait compares its timestamp with the clock', async () => {
      const { clock, target } = await start();
      const timestamp = new Date(clock.now() + 60_000).toISOString();
      const executionArn = await target.run(only({ Type: 'Wait', Timestamp: timestamp }));
      await target.event(executionArn, 'WaitStateEntered');
      clock.advance(59);
      expect(await target.describe(executionArn)).toHaveProperty('status', 'RUNNING');
      clock.advance(1);
      expect(await target.ended(executionArn)).toHaveProperty('status', 'SUCCEEDED');
    });

    it('a wait longer than Node’s timers can count does not end at once', async () => {
      const { clock, target } = await start();
      const year = 31_536_000;
      const executionArn = await target.run(only({ Type: 'Wait', Seconds: year }));
      clock.advance(year - 1);
      expect(await target.describe(executionArn)).toHaveProperty('status', 'RUNNING');
      clock.advance(1);
      expect(await target.ended(executionArn)).toHaveProperty('status', 'SUCCEEDED');
    });

    it('a function’s own timers and dates are real', async () => {
      const { clock, target } = await start(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return Date.now();
      });
      const executionArn = await target.run(only(target.calls('echo')));
      const { output } = await target.ended(executionArn);
      expect(Math.abs(Number(output) - Date.now())).toBeLessThan(60_000);
      expect(clock.pendingTimers).toBe(0);
    });

    it('executions that ended leave no timers, however they ended', async () => {
      const { clock, target } = await start();
      const answered = await target.run(only(target.waitsForToken({ TimeoutSeconds: 900 })));
      const stopped = await target.run(
        only(
          target.waitsForToken({ Retry: [{ ErrorEquals: ['States.ALL'] }], HeartbeatSeconds: 5 }),
          { TimeoutSeconds: 900 },
        ),
      );
      await target.client.send(
        new SendTaskSuccessCommand({ taskToken: await target.token(answered), output: '1' }),
      );
      await target.event(stopped, 'TaskSubmitted');
      await target.client.send(new StopExecutionCommand({ executionArn: stopped }));
      await target.ended(answered);
      expect(clock.pendingTimers).toBe(0);
    });
  });

  describe('Lambda invocations', () => {
    it('a late result changes neither the execution nor its history', async () => {
      const late = Promise.withResolvers<unknown>();
      const { clock, target } = await start(() => late.promise);
      const executionArn = await target.run({
        StartAt: 'Slow',
        States: {
          Slow: target.calls('slow', {
            TimeoutSeconds: 20,
            Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Hold' }],
            End: true,
          }),
          Hold: { Type: 'Wait', Seconds: 60, End: true },
        },
      });
      await target.event(executionArn, 'LambdaFunctionStarted');
      clock.advance(20);
      await target.event(executionArn, 'WaitStateEntered');
      const before = await target.history(executionArn);
      late.resolve('late');
      expect(await target.history(executionArn)).toEqual(before);
      clock.advance(60);
      expect(await target.ended(executionArn)).toHaveProperty('status', 'SUCCEEDED');
    });

    it('a late failure after a stop goes nowhere', async () => {
      const late = Promise.withResolvers<unknown>();
      const { target } = await start(() => late.promise);
      const executionArn = await target.run(
        only(target.calls('slow', { Retry: [{ ErrorEquals: ['States.ALL'] }] })),
      );
      await target.event(executionArn, 'LambdaFunctionStarted');
      await target.client.send(new StopExecutionCommand({ executionArn }));
      late.reject(new Error('late'));
      expect(await target.describe(executionArn)).toHaveProperty('status', 'ABORTED');
      expect((await target.history(executionArn)).at(-1)?.type).toBe('ExecutionAborted');
    });

    it('a token answered before the function returned completes the task', async () => {
      const returned = Promise.withResolvers<unknown>();
      const { target } = await start(async (_name, payload) => {
        const { token } = payload as { token: string };
        await target.client.send(new SendTaskSuccessCommand({ taskToken: token, output: '"own"' }));
        return returned.promise;
      });
      const executionArn = await target.run(only(target.waitsForToken()));
      expect(await target.output(executionArn)).toBe('own');
      returned.resolve('ignored');
    });

    it.each([
      'arn:aws:lambda:eu-central-1:000000000000:function:named',
      'arn:aws:lambda:eu-central-1:000000000000:function:named:live',
      '000000000000:function:named',
      'named:live',
      'named',
    ])('%s is invoked by its bare name', async (functionName) => {
      const invoke = vi.fn(() => Promise.resolve(null));
      const { target } = await start(invoke);
      const executionArn = await target.run(
        only({
          Type: 'Task',
          Resource: 'arn:aws:states:::lambda:invoke',
          Parameters: { FunctionName: functionName, Payload: { a: 1 } },
        }),
      );
      await target.ended(executionArn);
      expect(invoke).toHaveBeenCalledExactlyOnceWith('named', { a: 1 });
    });
  });

  describe('definitions', () => {
    it.each([
      ['JSONata', only({ Type: 'Pass', QueryLanguage: 'JSONata' })],
      ['variables', only({ Type: 'Pass', Assign: { a: 1 } })],
      ['other services', only({ Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage' })],
      [
        'lambda:invoke without a function',
        only({ Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Parameters: {} }),
      ],
    ])('%s: refused when created, not when run', async (_what, definition) => {
      const { target } = await start();
      await expect(target.create(definition)).rejects.toHaveProperty('name', 'InvalidDefinition');
    });

    it('EXPRESS state machines are StateMachineTypeNotSupported', async () => {
      const { target } = await start();
      await expect(
        target.client.send(
          new CreateStateMachineCommand({
            name: 'fast',
            type: 'EXPRESS',
            definition: JSON.stringify(only({ Type: 'Pass' })),
            roleArn: ROLE_ARN,
          }),
        ),
      ).rejects.toHaveProperty('name', 'StateMachineTypeNotSupported');
    });

    it('state machines given at the start can be started by name', async () => {
      const server = await startEmbedded({
        clock: systemClock,
        invoke: () => Promise.resolve(null),
        stateMachines: [{ name: 'order-saga', definition: only({ Type: 'Pass' }) }],
      });
      stops.push(() => server.stop());
      const stateMachineArn = server.stateMachineArn('order-saga');
      const { executionArn } = await clientOf(server).send(
        new StartExecutionCommand({ stateMachineArn, name: 'o-1-1' }),
      );
      expect(executionArn).toBe(
        'arn:aws:states:eu-central-1:000000000000:execution:order-saga:o-1-1',
      );
    });
  });

  describe('protocol', () => {
    const post = (url: string, target: string, body: string) =>
      fetch(url, {
        method: 'POST',
        headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' },
        body,
      });

    it.each(['AWSStepFunctions.CreateActivity', 'DynamoDB_20120810.GetItem', ''])(
      'target "%s" is UnknownOperationException',
      async (operation) => {
        const { server } = await start();
        const response = await post(server.url, operation, '{}');
        expect(response.status).toBe(400);
        expect(await response.json()).toHaveProperty('__type', 'UnknownOperationException');
      },
    );

    it('a body that is not JSON is SerializationException', async () => {
      const { server } = await start();
      const response = await post(server.url, 'AWSStepFunctions.StartExecution', '{');
      expect(response.status).toBe(400);
      expect(await response.json()).toHaveProperty('__type', 'SerializationException');
    });

    it.each([
      ['StartExecution', {}],
      ['DescribeExecution', { executionArn: '' }],
      ['ListStateMachines', { maxResults: 1001 }],
      ['SendTaskSuccess', { taskToken: 'x'.repeat(2049), output: '1' }],
      ['StopExecution', { executionArn: 7 }],
    ])('%s with %j is ValidationException', async (operation, body) => {
      const { server } = await start();
      const response = await post(
        server.url,
        `AWSStepFunctions.${operation}`,
        JSON.stringify(body),
      );
      expect(response.status).toBe(400);
      expect(await response.json()).toHaveProperty('__type', 'ValidationException');
    });

    it('a body of several megabytes is refused', async () => {
      const { server } = await start();
      const body = JSON.stringify({ name: 'x'.repeat(4 * 1024 * 1024) });
      const response = await post(server.url, 'AWSStepFunctions.StartExecution', body);
      expect(response.status).toBe(400);
    });
  });

  describe('start and stop', () => {
    it('a taken port rejects with the socket’s own error', async () => {
      const { server } = await start();
      await expect(
        startEmbedded({
          clock: systemClock,
          invoke: () => Promise.resolve(null),
          port: server.port,
        }),
      ).rejects.toHaveProperty('code', 'EADDRINUSE');
    });

    it('stopping puts the global timers back, but not while another server runs', async () => {
      const original = [setTimeout, clearTimeout, Date.now];
      const first = await start();
      const second = await start();
      await first.server.stop();
      expect(setTimeout).not.toBe(original[0]);
      await second.server.stop();
      expect([setTimeout, clearTimeout, Date.now]).toEqual(original);
    });

    it('stopping ends running executions, their timers and the connections', async () => {
      const { clock, server, target } = await start();
      const waiting = await target.run(only(target.waitsForToken({ TimeoutSeconds: 900 })));
      await target.run(only({ Type: 'Wait', Seconds: 900 }), {});
      await target.event(waiting, 'TaskSubmitted');
      expect(clock.pendingTimers).toBe(2);
      await server.stop();
      expect(clock.pendingTimers).toBe(0);
      await expect(fetch(server.url)).rejects.toThrow();
    });

    it('a process that stops its server exits by itself', async () => {
      const server = new URL('../../local/step-functions/server.ts', import.meta.url).href;
      const clock = new URL('../../lib/platform/clock.ts', import.meta.url).href;
      const program = `
        import { startStepFunctionsServer } from '${server}';
        import { systemClock } from '${clock}';
        const resource = 'arn:aws:lambda:eu-central-1:000000000000:function:f';
        const wait = { Type: 'Wait', Seconds: 31536000, End: true };
        const task = { Type: 'Task', Resource: resource, End: true };
        const branches = [
          { StartAt: 'W', States: { W: wait } },
          { StartAt: 'T', States: { T: task } },
        ];
        const parallel = { Type: 'Parallel', Branches: branches, End: true };
        const server = await startStepFunctionsServer({
          host: '127.0.0.1', port: 0, clock: systemClock, region: 'eu-central-1',
          accountId: '000000000000', invoke: () => new Promise(() => {}),
          stateMachines: [{
            name: 'm',
            definition: { StartAt: 'P', TimeoutSeconds: 31536000, States: { P: parallel } },
          }],
        });
        await fetch(server.url, {
          method: 'POST',
          headers: { 'x-amz-target': 'AWSStepFunctions.StartExecution' },
          body: JSON.stringify({ stateMachineArn: server.stateMachineArn('m') }),
        });
        await server.stop();
      `;
      const { stderr } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', program],
        { timeout: 30_000 },
      );
      expect(stderr).toBe('');
    });
  });

  it('200 waiting executions are answered each with its own output', async () => {
    const { target } = await start();
    const stateMachineArn = await target.create(only(target.waitsForToken()));
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    const outputs = await Promise.all(
      numbers.map(async (number) => {
        const executionArn = await target.start(stateMachineArn);
        const taskToken = await target.token(executionArn);
        await target.client.send(new SendTaskSuccessCommand({ taskToken, output: String(number) }));
        await target.ended(executionArn);
        const { output } = await target.client.send(new DescribeExecutionCommand({ executionArn }));
        return Number(output);
      }),
    );
    expect(outputs).toEqual(numbers);
  });
});
