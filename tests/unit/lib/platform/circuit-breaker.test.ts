import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  afterFailure,
  type Circuit,
  CircuitBreaker,
} from '../../../../lib/platform/circuit-breaker.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';

process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';

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

beforeEach(() => {
  table = new Table();
  nowMs = 1_000_000;
  called = 0;
});

/** One container's breaker; all of them share the table. */
function instance(): CircuitBreaker {
  const runtime = {
    clock: { now: () => nowMs },
    aws: { clients: { documents: table } },
  } as unknown as Runtime;
  return new CircuitBreaker(runtime, {
    name: 'stock',
    table: 'orders',
    failuresToOpen: 3,
    pauseMs: 10_000,
    probeMs: 7000,
    outageMs: (error) => (error instanceof Outage ? error.forMs : undefined),
    refusal: (seconds, cause) => new Refused(`in ${seconds} s`, { cause }),
  });
}

const answers = () => {
  called += 1;
  return Promise.resolve('answer');
};
const fails = (forMs?: number) => () => {
  called += 1;
  return Promise.reject(new Outage(forMs));
};

async function failTimes(breaker: CircuitBreaker, times: number, forMs?: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await expect(breaker.run(fails(forMs))).rejects.toThrow();
  }
}

async function expectRefused(breaker: CircuitBreaker, why: string): Promise<void> {
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

  test('failures that an answer comes between do not add up', async () => {
    const breaker = instance();
    await failTimes(breaker, 2);
    await breaker.run(answers);
    await failTimes(breaker, 2);
    await breaker.run(answers);
    expect(table.item).toMatchObject({ status: 'CLOSED', failures: 0 });
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
    const probe = await breaker.run(fails()).catch((error: unknown) => error);
    expect(probe).toEqual(new Refused('in 10 s', { cause: new Outage() }));
  });

  test('is discovered once: what one instance found, the others do not try', async () => {
    await failTimes(instance(), 3);
    expect(table.item).toMatchObject({ pk: 'CIRCUIT#stock', type: 'CIRCUIT', status: 'OPEN' });
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
    await expectRefused(second, 'in 7 s');
    resolve('back');
    expect(await probe).toBe('back');
    nowMs += 1000;
    expect(await second.run(answers)).toBe('answer');
    expect(table.item).toMatchObject({ status: 'CLOSED', failures: 0 });
  });

  test('lets one of two calls through that come at the same moment', async () => {
    await failTimes(instance(), 3);
    nowMs += 10_000;
    called = 0;
    const results = await Promise.allSettled([instance().run(answers), instance().run(answers)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(called).toBe(1);
  });

  test('whose probe fails goes on for another pause', async () => {
    await failTimes(instance(), 3);
    nowMs += 10_000;
    await failTimes(instance(), 1);
    await expectRefused(instance(), 'in 10 s');
  });

  test('whose probe died is probed again', async () => {
    await failTimes(instance(), 3);
    nowMs += 10_000;
    void instance().run(() => new Promise(() => undefined));
    await expect.poll(() => table.item?.['status']).toBe('HALF_OPEN');
    nowMs += 7000;
    expect(await instance().run(answers)).toBe('answer');
    expect(table.item).toMatchObject({ status: 'CLOSED' });
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
const closed = (failures: number): Circuit => ({ status: 'CLOSED', failures, version: 5 });
const open = (probeAtMs: number): Circuit => ({
  status: 'OPEN',
  openedAtMs: NOW - 60_000,
  probeAtMs,
  version: 5,
});
const halfOpen = (probeUntilMs: number): Circuit => ({
  status: 'HALF_OPEN',
  openedAtMs: NOW - 60_000,
  probeUntilMs,
  version: 5,
});

describe('a call', () => {
  const PROBING = {
    status: 'HALF_OPEN',
    openedAtMs: NOW - 60_000,
    probeUntilMs: NOW + 7000,
    version: 6,
  };
  test.each<[string, Circuit, unknown]>([
    ['where nothing failed goes through, and nothing is written', closed(0), closed(0)],
    ['after a few failures goes through', closed(2), closed(2)],
    ['right after the pause is the probe', open(NOW), PROBING],
    ['after a probe that nothing was heard of is the next probe', halfOpen(NOW), PROBING],
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

  test.each<[string, Circuit]>([
    ['during the pause', open(NOW + 1)],
    ['during a probe', halfOpen(NOW + 1)],
  ])('%s is refused', async (_what, circuit) => {
    table.item = { ...circuit };
    await expectRefused(instance(), 'in 1 s');
    expect(table.item).toEqual(circuit);
  });
});

describe('a failure', () => {
  const RULES = { failuresToOpen: 3, pauseMs: 10_000 };
  test.each<[string, Circuit, unknown]>([
    ['is counted', closed(0), { status: 'CLOSED', failures: 1, version: 6 }],
    ['that is not the last one allowed is counted', closed(1), { ...closed(2), version: 6 }],
    [
      'that is one too many opens the circuit',
      closed(2),
      { status: 'OPEN', openedAtMs: NOW, probeAtMs: NOW + 10_000, version: 6 },
    ],
    [
      'of the probe opens it again, since when it was',
      halfOpen(NOW + 1),
      { status: 'OPEN', openedAtMs: NOW - 60_000, probeAtMs: NOW + 10_000, version: 6 },
    ],
    ['of a call that was made before it opened changes nothing', open(NOW + 1), open(NOW + 1)],
  ])('%s', (_what, circuit, expected) => {
    expect(afterFailure(circuit, NOW, RULES)).toEqual(expected);
  });
});

describe('an answer', () => {
  test.each<[string, Circuit, number]>([
    ['where nothing failed changes nothing', closed(0), 5],
    ['after failures forgets them', closed(2), 6],
    ['to the probe closes the circuit', halfOpen(NOW), 7],
  ])('%s', async (_what, circuit, version) => {
    table.item = { ...circuit };
    await instance().run(answers);
    expect(table.item).toMatchObject({ status: 'CLOSED', failures: 0, version });
    expect(table.writes).toBe(version - 5);
  });
});
