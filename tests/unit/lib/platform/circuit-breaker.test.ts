import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { afterCall, type Circuit, type CircuitRules } from '../../../../lib/platform/circuit.ts';
import { CircuitBreaker } from '../../../../lib/platform/circuit-breaker.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';

class Outage extends Error {
  override readonly name = 'Outage';
  readonly forMs: number;
  constructor(forMs = 0) {
    super('out');
    this.forMs = forMs;
  }
}

class Refused extends Error {
  override readonly name = 'Refused';
}

/** One item under conditional writes, as in DynamoDB; with a fault, every request throws it. */
class Table {
  item: Record<string, unknown> | undefined;
  fault: Error | undefined;
  writeFault: Error | undefined;
  reads = 0;
  writes = 0;

  send(command: unknown): Promise<unknown> {
    if (this.fault !== undefined) return Promise.reject(this.fault);
    if (command instanceof GetCommand) {
      this.reads += 1;
      return Promise.resolve({ Item: this.item });
    }
    if (!(command instanceof PutCommand)) throw new Error('Unexpected command');
    if (this.writeFault !== undefined) return Promise.reject(this.writeFault);
    const { ExpressionAttributeValues: asRead, Item } = command.input;
    const isAsRead =
      asRead === undefined
        ? this.item === undefined
        : this.item?.['version'] === asRead[':counterAsRead'] &&
          this.item?.['status'] === asRead[':statusAsRead'];
    if (!isAsRead) {
      return Promise.reject(new ConditionalCheckFailedException({ message: 'no', $metadata: {} }));
    }
    this.writes += 1;
    this.item = Item;
    return Promise.resolve({});
  }
}

let table: Table;
let nowMs: number;
let called: number;
let orders = 0;

beforeEach(() => {
  table = new Table();
  nowMs = 1_000_000;
  called = 0;
});

const RULES: CircuitRules = {
  failureRatio: 0.5,
  minCalls: 3,
  minSubjects: 2,
  windowMs: 10_000,
  pauseMs: 10_000,
  probeMs: 7000,
};

/** One container's breaker; all of them share the table. Each call is for another order, if none is named. */
function instance() {
  const runtime = {
    clock: {
      now: () => nowMs,
      schedule: (_delayMs: number, callback: () => void) => {
        setImmediate(callback);
        return () => undefined;
      },
    },
    random: Math.random,
    aws: { clients: { documents: table } },
  } as unknown as Runtime;
  const breaker = new CircuitBreaker(runtime, {
    name: 'stock',
    table: 'orders',
    rules: RULES,
    outageMs: (error) => (error instanceof Outage ? error.forMs : undefined),
    refusal: (seconds, cause) => new Refused(`in ${seconds} s`, { cause }),
  });
  return {
    run: <Result>(call: () => Promise<Result>, order = `order ${(orders += 1)}`) =>
      breaker.run(order, call),
  };
}

type Instance = ReturnType<typeof instance>;

const answers = () => {
  called += 1;
  return Promise.resolve('answer');
};
const fails = (forMs?: number) => () => {
  called += 1;
  return Promise.reject(new Outage(forMs));
};

async function failTimes(breaker: Instance, times: number, forMs?: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await expect(breaker.run(fails(forMs))).rejects.toThrow();
  }
}

async function expectRefused(breaker: Instance, why: string): Promise<void> {
  const before = called;
  await expect(breaker.run(answers)).rejects.toThrow(new Refused(why));
  expect(called).toBe(before);
}

describe('while all is well', () => {
  test('nothing is written, and the state is read once a second', async () => {
    const breaker = instance();
    await breaker.run(answers);
    expect(await breaker.run(answers)).toBe('answer');
    expect([table.reads, table.writes]).toEqual([1, 0]);
    nowMs += 1000;
    await breaker.run(answers);
    expect([table.reads, table.writes]).toEqual([2, 0]);
  });

  test('a refusal is an answer', async () => {
    const breaker = instance();
    for (const reason of ['no', 'not', 'never', 'none']) {
      const refusal = breaker.run(() => Promise.reject(new RangeError(reason)));
      await expect(refusal).rejects.toThrow(reason);
    }
    expect(table.item).toBeUndefined();
  });

  test('nothing is written once the window of the last failure is over', async () => {
    const breaker = instance();
    await failTimes(breaker, 1);
    await breaker.run(answers);
    expect(table.item).toMatchObject({ status: 'CLOSED', window: { calls: 2, failures: 1 } });
    const { writes } = table;
    nowMs += 10_000;
    await breaker.run(answers);
    expect(table.writes).toBe(writes);
  });

  test('a failure begins a new window once the one before is over', async () => {
    const breaker = instance();
    await failTimes(breaker, 2);
    nowMs += 10_000;
    await failTimes(breaker, 2);
    expect(table.item).toMatchObject({ status: 'CLOSED', window: { calls: 2, failures: 2 } });
  });

  test('answers between failures keep the circuit closed, while fewer than half fail', async () => {
    const breaker = instance();
    await failTimes(breaker, 1);
    for (let round = 0; round < 10; round += 1) {
      for (let answer = 0; answer < 3; answer += 1) await breaker.run(answers);
      await failTimes(breaker, 1);
    }
    expect(table.item).toMatchObject({ status: 'CLOSED', window: { calls: 41, failures: 11 } });
  });

  test('one order that fails again and again opens nothing', async () => {
    const breaker = instance();
    for (let time = 0; time < 20; time += 1) {
      await expect(breaker.run(fails(), 'the only one')).rejects.toThrow(new Outage());
    }
    expect(table.item).toMatchObject({ status: 'CLOSED', window: { failures: 20 } });
  });
});

describe('an outage', () => {
  test('is told as such while calls still go through, and then as a pause', async () => {
    const breaker = instance();
    await expect(breaker.run(fails())).rejects.toEqual(new Outage());
    await expect(breaker.run(fails())).rejects.toEqual(new Outage());
    const opening = await breaker.run(fails()).catch((error: unknown) => error);
    expect(opening).toEqual(new Refused('in 10 s', { cause: new Outage() }));
    nowMs += 10_000;
    await expect(breaker.run(fails())).rejects.toEqual(new Outage());
    const probe = await breaker.run(fails()).catch((error: unknown) => error);
    expect(probe).toEqual(new Refused('in 10 s', { cause: new Outage() }));
  });

  test('is discovered once: what one instance found, the others do not try', async () => {
    await failTimes(instance(), 3);
    expect(table.item).toMatchObject({
      pk: 'CIRCUIT_WINDOW#stock',
      type: 'CIRCUIT',
      status: 'OPEN',
    });
    await expectRefused(instance(), 'in 10 s');
  });

  test('is discovered by several instances together', async () => {
    const [first, second, third] = [instance(), instance(), instance()];
    await failTimes(first, 1);
    await failTimes(second, 1);
    await failTimes(third, 1);
    // An instance caches the circuit's state for a second.
    nowMs += 1000;
    await expectRefused(first, 'in 9 s');
  });

  test('found at the same moment counts every failure', async () => {
    const breakers = [instance(), instance(), instance()];
    await Promise.allSettled(breakers.map((breaker) => breaker.run(fails())));
    expect(table.item).toMatchObject({ status: 'OPEN' });
  });

  test('that says how long it takes is not disturbed before', async () => {
    await failTimes(instance(), 3, 25_000);
    nowMs += 24_000;
    await expectRefused(instance(), 'in 1 s');
  });

  test('after the pause lets one call of all instances through', async () => {
    await failTimes(instance(), 3);
    nowMs += 10_000;
    const [first, second] = [instance(), instance()];
    const { promise, resolve } = Promise.withResolvers<string>();
    const probe = first.run(() => promise);
    await expect.poll(() => table.item?.['status']).toBe('HALF_OPEN');
    await expectRefused(second, 'in 1 s');
    resolve('back');
    expect(await probe).toBe('back');
    nowMs += 1000;
    expect(await second.run(answers)).toBe('answer');
    expect(table.item).toMatchObject({ status: 'HALF_OPEN', stepCalls: 2, answered: 1 });
  });

  test('then lets one call through, two, four, eight, and all the others', async () => {
    await failTimes(instance(), 3);
    nowMs += 10_000;
    for (const step of [1, 2, 4, 8]) {
      expect(table.item?.['status']).not.toBe('CLOSED');
      const { promise, resolve } = Promise.withResolvers<string>();
      const calls: Promise<string>[] = [];
      called = 0;
      for (let call = 1; call <= step; call += 1) {
        calls.push(
          instance().run(() => {
            called += 1;
            return promise;
          }),
        );
        await expect.poll(() => called).toBe(call);
      }
      await expectRefused(instance(), 'in 1 s');
      resolve('back');
      // Eight counts at the same moment: whatever is lost, the step ends.
      await Promise.all(calls);
      if (table.item?.['stepCalls'] !== step) continue;
      nowMs = Number(table.item['probeUntilMs']);
      await instance().run(answers);
    }
    await instance().run(answers);
    nowMs += 7000;
    await instance().run(answers);
    expect(table.item).toMatchObject({ status: 'CLOSED' });
    expect(table.item).not.toHaveProperty('window');
  });

  test('lets one of two calls through that come at the same moment', async () => {
    await failTimes(instance(), 3);
    nowMs += 10_000;
    called = 0;
    const { promise, resolve } = Promise.withResolvers<string>();
    const hangs = () => {
      called += 1;
      return promise;
    };
    const both = [instance().run(hangs), instance().run(hangs)];
    await expect(Promise.race(both)).rejects.toThrow(new Refused('in 1 s'));
    expect(called).toBe(1);
    resolve('back');
    const results = await Promise.allSettled(both);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('whose probes of two orders fail goes on for another pause', async () => {
    await failTimes(instance(), 3);
    nowMs += 10_000;
    await failTimes(instance(), 2);
    await expectRefused(instance(), 'in 10 s');
  });

  test('is over though one order goes on failing, again and again', async () => {
    await failTimes(instance(), 3);
    nowMs += 10_000;
    for (let round = 0; round < 5; round += 1) {
      const failing = instance().run(fails(), 'the only one');
      await expect(failing).rejects.toThrow(new Outage());
      expect(await instance().run(answers)).toBe('answer');
      nowMs += 7000;
    }
    expect(table.item).not.toMatchObject({ status: 'OPEN' });
  });

  test('whose probe died is probed again', async () => {
    await failTimes(instance(), 3);
    nowMs += 10_000;
    void instance().run(() => new Promise(() => undefined));
    await expect.poll(() => table.item?.['status']).toBe('HALF_OPEN');
    nowMs += 7000;
    expect(await instance().run(answers)).toBe('answer');
    expect(table.item).toMatchObject({ status: 'HALF_OPEN', stepCalls: 2 });
  });
});

describe('where the state cannot be read or written', () => {
  test('calls go through, and their own errors come back', async () => {
    const breaker = instance();
    table.fault = new Error('throttled');
    expect(await breaker.run(answers)).toBe('answer');
    await failTimes(breaker, 4);
    expect(called).toBe(5);
  });

  test('so does the call after the pause, though nobody could be kept from being the probe', async () => {
    const breaker = instance();
    await failTimes(breaker, 3);
    nowMs += 10_000;
    table.writeFault = new Error('throttled');
    expect(await breaker.run(answers)).toBe('answer');
    expect(table.item).toMatchObject({ status: 'OPEN' });
  });
});

const NOW = 1_000_000;
const window = (calls: number, failures: number, failedSubjects = ['a', 'b'], sinceMs = NOW) => ({
  sinceMs,
  calls,
  failures,
  failedSubjects,
});
const closed = (counted?: ReturnType<typeof window>): Circuit => ({
  status: 'CLOSED',
  version: 5,
  ...(counted === undefined ? {} : { window: counted }),
});
const open = (probeAtMs: number): Circuit => ({
  status: 'OPEN',
  openedAtMs: NOW - 60_000,
  probeAtMs,
  version: 5,
});
const halfOpen = (
  stepCalls: number,
  started: number,
  answered: number,
  more: {
    readonly failed?: number;
    readonly probeUntilMs?: number;
    readonly halfOpenSinceMs?: number;
    readonly failedSubjects?: readonly string[];
  } = {},
): Circuit => ({
  status: 'HALF_OPEN',
  openedAtMs: NOW - 60_000,
  halfOpenSinceMs: NOW - 5000,
  probeUntilMs: NOW + 1,
  stepCalls,
  started,
  answered,
  failed: 0,
  failedSubjects: [],
  version: 5,
  ...more,
});

describe('a call', () => {
  test.each<[string, Circuit, unknown]>([
    ['where nothing failed goes through, and nothing is written', closed(), closed()],
    ['after a few failures goes through', closed(window(2, 2)), closed(window(2, 2))],
    [
      'right after the pause is the first step',
      open(NOW),
      { ...halfOpen(1, 1, 0, { halfOpenSinceMs: NOW, probeUntilMs: NOW + 7000 }), version: 6 },
    ],
    ['in a step with places is let through', halfOpen(4, 2, 1), { started: 3, version: 6 }],
    [
      'after a step that nothing was heard of begins it again',
      halfOpen(4, 4, 0, { probeUntilMs: NOW }),
      { stepCalls: 4, started: 1, answered: 0, probeUntilMs: NOW + 7000, version: 6 },
    ],
    [
      'after a step of which too many failed begins it again',
      halfOpen(4, 4, 3, { failed: 2, failedSubjects: ['a'], probeUntilMs: NOW }),
      { stepCalls: 4, started: 1, answered: 0, failed: 0, failedSubjects: ['a'], version: 6 },
    ],
    [
      'after a step of which not every answer was counted begins the next one',
      halfOpen(4, 4, 1, { probeUntilMs: NOW }),
      { stepCalls: 8, started: 1, answered: 0, version: 6 },
    ],
    [
      'after the last step closes the circuit, though not every answer was counted',
      halfOpen(8, 8, 7, { probeUntilMs: NOW }),
      { status: 'CLOSED', version: 6 },
    ],
    [
      'that comes long after the first answer closes it: few orders come',
      halfOpen(2, 0, 0, { halfOpenSinceMs: NOW - 10_000 }),
      { status: 'CLOSED', version: 6 },
    ],
  ])('%s', async (_what, circuit, during) => {
    table.item = { ...circuit };
    const { promise, resolve } = Promise.withResolvers<string>();
    const call = instance().run(() => {
      called += 1;
      return promise;
    });
    await expect.poll(() => called).toBe(1);
    expect(table.item).toMatchObject(during as object);
    resolve('answer');
    expect(await call).toBe('answer');
  });

  test.each<[string, Circuit, number]>([
    ['during the pause', open(NOW + 3000), 3],
    ['during a full step', halfOpen(2, 2, 1), 1],
  ])('%s is refused', async (_what, circuit, seconds) => {
    table.item = { ...circuit };
    await expectRefused(instance(), `in ${seconds} s`);
    expect(table.item).toEqual(circuit);
  });
});

describe('a failure', () => {
  const opened = { status: 'OPEN', openedAtMs: NOW, probeAtMs: NOW + 10_000, version: 6 };
  test.each<[string, Circuit, unknown]>([
    ['begins a window', closed(), { ...closed(window(1, 1, ['c'])), version: 6 }],
    [
      'of too few calls is counted',
      closed(window(1, 1, ['a'])),
      { ...closed(window(2, 2, ['a', 'c'])), version: 6 },
    ],
    [
      'of too few orders is counted',
      closed(window(9, 9, ['c'])),
      { ...closed(window(10, 10, ['c'])), version: 6 },
    ],
    [
      'of too small a share is counted',
      closed(window(4, 1)),
      { ...closed(window(5, 2)), version: 6 },
    ],
    ['of enough calls of enough orders opens the circuit', closed(window(3, 1)), opened],
    [
      'after the window begins another one',
      closed(window(9, 9, ['a', 'b'], NOW - 10_000)),
      { ...closed(window(1, 1, ['c'])), version: 6 },
    ],
    [
      'of half a step, of another order than before, opens the circuit again, since when it was',
      halfOpen(2, 2, 0, { failedSubjects: ['a'] }),
      { ...opened, openedAtMs: NOW - 60_000 },
    ],
    [
      'of half a step, of one order, begins the step again',
      halfOpen(2, 2, 1),
      {
        ...halfOpen(2, 0, 0, { failedSubjects: ['c'], probeUntilMs: NOW + 7000 }),
        version: 6,
      },
    ],
    [
      'of less than half a step is counted',
      halfOpen(4, 4, 1),
      { ...halfOpen(4, 4, 2, { failed: 1, failedSubjects: ['c'] }), version: 6 },
    ],
    ['of a call that was made before it opened changes nothing', open(NOW + 1), open(NOW + 1)],
  ])('%s', (_what, circuit, expected) => {
    expect(afterCall(circuit, { subject: 'c', outForMs: 0 }, NOW, RULES)).toEqual(expected);
  });
});

describe('an answer', () => {
  test.each<[string, Circuit, unknown]>([
    ['where nothing failed changes nothing', closed(), closed()],
    [
      'after the window changes nothing',
      closed(window(2, 2, [], NOW - 10_000)),
      closed(window(2, 2, [], NOW - 10_000)),
    ],
    ['in the window is counted', closed(window(2, 1)), { ...closed(window(3, 1)), version: 6 }],
    ['inside a step is counted', halfOpen(4, 4, 1), { ...halfOpen(4, 4, 2), version: 6 }],
    [
      'that ends a step begins one of twice the calls',
      halfOpen(2, 2, 1),
      { ...halfOpen(4, 0, 0, { probeUntilMs: NOW + 7000 }), version: 6 },
    ],
    [
      'that ends the last step closes the circuit',
      halfOpen(8, 8, 7),
      { status: 'CLOSED', version: 6 },
    ],
    [
      'long after the first probe closes it too: few orders come',
      halfOpen(2, 2, 1, { halfOpenSinceMs: NOW - 10_000 }),
      { status: 'CLOSED', version: 6 },
    ],
  ])('%s', (_what, circuit, expected) => {
    expect(afterCall(circuit, 'ANSWERED', NOW, RULES)).toEqual(expected);
  });
});
