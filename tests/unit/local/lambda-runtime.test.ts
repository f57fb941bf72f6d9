import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../../../lib/platform/clock.ts';
import {
  admitAtOnce,
  dieHere,
  type InvocationError,
  LambdaRuntime,
  Throttled,
  unlessDead,
} from '../../../local/stack/lambda-runtime.ts';
import { TravelClock } from '../../../local/stack/travel-clock.ts';

/** Global through which the scratch handlers, which are separate files, reach their test. */
const reach = globalThis as unknown as { lambdaTest: Record<string, unknown> };

const HANDLERS = {
  echo: 'async (event) => ({ got: event, at: undefined })',
  nothing: 'async () => undefined',
  context: `async (event, context) => ({
    name: context.functionName, arn: context.invokedFunctionArn, memory: context.memoryLimitInMB,
    id: context.awsRequestId.length, left: context.getRemainingTimeInMillis() })`,
  named: `async () => { throw Object.assign(new Error('No stock'), { name: 'OutOfStock' }); }`,
  synchronous: `() => { throw new RangeError('At once'); }`,
  text: `async () => { throw 'just words'; }`,
  measuring: `async (event, context) => {
    const before = context.getRemainingTimeInMillis();
    await globalThis.lambdaTest.nap();
    return { before, after: context.getRemainingTimeInMillis() }; }`,
  sleeping: 'async () => { await globalThis.lambdaTest.sleep(); }',
  hanging: `async () => { await new Promise(() => {}); }`,
  dying: `async () => {
    const { dieHere, events } = globalThis.lambdaTest;
    await dieHere();
    events.push('after death'); }`,
  dyingWithHands: `async () => {
    const { dieHere, unlessDead, events } = globalThis.lambdaTest;
    const dying = dieHere();
    await Promise.race([dying, unlessDead(async () => events.push('effect of the dead'))]); }`,
};

describe('LambdaRuntime', () => {
  const clock = new TravelClock();
  const events: string[] = [];
  const failures: string[] = [];
  let directory = '';
  let runtime: LambdaRuntime;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lambda-'));
    const source = Object.entries(HANDLERS).map(([key, code]) => `export const ${key} = ${code};`);
    await writeFile(join(directory, 'handlers.ts'), source.join('\n'));
    const fn = (key: string, handler: string) => ({
      key,
      handler,
      name: `ordersaga-test-${key}`,
      timeoutSeconds: 20,
      memoryMegabytes: 512,
    });
    runtime = new LambdaRuntime({
      clock,
      directory,
      region: 'eu-central-1',
      accountId: '000000000000',
      functions: [
        ...Object.keys(HANDLERS).map((key) => fn(key, `handlers.${key}`)),
        fn('unexported', 'handlers.unexported'),
        fn('missing', 'missing.handler'),
      ],
      onFailure: ({ key }, _requestId, error) => failures.push(`${key} ${error.name}`),
    });
    reach.lambdaTest = {
      dieHere,
      unlessDead,
      events,
      sleep: () => sleep(runtime.clock, 60_000),
      nap: () => sleep(runtime.clock, 12_000),
    };
  });
  afterAll(async () => {
    clock.stop();
    await rm(directory, { recursive: true });
  });

  function failureOf(key: string, invocation = runtime.invoke(key, {})): Promise<InvocationError> {
    return invocation.then(
      () => expect.unreachable(`${key} succeeded`),
      (error: unknown) => error as InvocationError,
    );
  }

  it.each([
    'echo',
    'ordersaga-test-echo',
    'arn:aws:lambda:eu-central-1:000000000000:function:ordersaga-test-echo',
  ])('finds a function as %s; event and result cross as JSON', async (name) => {
    const event = { when: new Date(0), gone: undefined, kept: null };
    await expect(runtime.invoke(name, event)).resolves.toStrictEqual({
      got: { when: '1970-01-01T00:00:00.000Z', kept: null },
    });
  });

  it('answers null for a handler that returns nothing', async () => {
    await expect(runtime.invoke('nothing', undefined)).resolves.toBeNull();
  });

  it('gives handlers a context', async () => {
    await expect(runtime.invoke('context', {})).resolves.toMatchObject({
      name: 'ordersaga-test-context',
      arn: 'arn:aws:lambda:eu-central-1:000000000000:function:ordersaga-test-context',
      memory: '512',
      id: 36,
      left: expect.any(Number),
    });
  });

  it('tells handlers how much time is left by the clock', async () => {
    await runtime.invoke('echo', {});
    const measuring = runtime.invoke('measuring', {});
    await clock.advance(12_000);
    const { before, after } = (await measuring) as { before: number; after: number };
    expect(before).toBeLessThanOrEqual(20_000);
    expect(after).toBeLessThanOrEqual(before - 12_000);
    expect(after).toBeGreaterThan(0);
  });

  it.each([
    ['named', 'OutOfStock', 'No stock'],
    ['synchronous', 'RangeError', 'At once'],
    ['text', 'string', 'just words'],
    ['unexported', 'Runtime.HandlerNotFound', 'handlers.unexported is not exported'],
    ['missing', 'Runtime.ImportModuleError', 'missing.ts'],
    ['unknown', 'ResourceNotFoundException', 'Function not found: unknown'],
  ])('rejects %s with %s', async (key, name, message) => {
    const error = await failureOf(key);
    expect(error.name).toBe(name);
    expect(error.message).toContain(message);
  });

  it('reports failures to its owner', async () => {
    failures.length = 0;
    await failureOf('named');
    expect(failures).toEqual(['named OutOfStock']);
  });

  it('ends an invocation that takes too long on the clock', async () => {
    await runtime.invoke('echo', {});
    const failure = failureOf('hanging');
    await clock.advance(21_000);
    const { name, message } = await failure;
    expect(name).toBe('Sandbox.Timedout');
    expect(message).toContain('Task timed out after 20.00 seconds');
  });

  it('tells at once of an invocation that died, and runs nothing behind its death', async () => {
    expect((await failureOf('dying')).name).toBe('Runtime.ExitError');
    expect((await failureOf('dyingWithHands')).name).toBe('Runtime.ExitError');
    await clock.advance(60_000);
    expect(events).toEqual([]);
  });

  it('begins an invocation when it is admitted, and never runs one that is throttled', async () => {
    const admitted = Promise.withResolvers<undefined>();
    runtime.setAdmission((key, event) => {
      expect(event).toEqual({ a: 1 });
      return key === 'echo' ? admitted.promise : Promise.reject(new Throttled());
    });
    try {
      let isOver = false;
      const echoed = runtime.invoke('echo', { a: 1 }).finally(() => {
        isOver = true;
      });
      const refused = runtime.invoke('dying', { a: 1 });
      await expect(refused).rejects.toMatchObject({ name: 'TooManyRequestsException' });
      expect(isOver).toBe(false);
      admitted.resolve(undefined);
      expect(await echoed).toEqual({ got: { a: 1 } });
    } finally {
      runtime.setAdmission(admitAtOnce);
    }
  });

  it('lets only invocations die', () => {
    expect(() => dieHere()).toThrow('Only an invocation can die.');
  });

  it('is idle when nothing runs or what runs waits for the clock, and busy otherwise', async () => {
    expect(runtime.isIdle()).toBe(true);
    const working = failureOf('hanging');
    const busy = new Promise((resolve) => setImmediate(resolve));
    await busy;
    expect(runtime.isIdle()).toBe(false);
    await clock.advance(21_000);
    await working;

    const waiting = failureOf('sleeping');
    await new Promise((resolve) => setImmediate(resolve));
    expect(runtime.isIdle()).toBe(true);
    await clock.advance(21_000);
    expect((await waiting).name).toBe('Sandbox.Timedout');
  });
});
