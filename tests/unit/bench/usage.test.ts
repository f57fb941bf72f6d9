import { describe, expect, test } from 'vitest';
import type { Callers, Reading } from '../../../bench/cost/meter.ts';
import { idleMonth, metricsIn, usageOf } from '../../../bench/cost/usage.ts';

const CALLERS: Callers = {
  http: new Set(['placeOrder']),
  queue: new Set(['handleAcknowledgement']),
};

function invocation(key: string, memoryMegabytes: number, durationMs: number) {
  const fn = { key, name: key, handler: `${key}.handler`, timeoutSeconds: 20, memoryMegabytes };
  return { fn, durationMs };
}

const READING: Reading = {
  effects: [
    { kind: 'dynamodb', operation: 'PutItem', target: 'orders' },
    { kind: 'sqs', operation: 'SendMessage', target: 'acknowledgement' },
    { kind: 'states', operation: 'StartExecution', target: 'saga' },
  ],
  readUnits: 7.5,
  writes: [],
  writeUnits: 12,
  invocations: [
    invocation('placeOrder', 512, 199.2),
    invocation('reserveStock', 512, 100),
    invocation('reservations', 1024, 50.5),
    invocation('handleAcknowledgement', 256, 40),
  ],
  // 4 bytes in 2 letters, 10 in 10.
  logLines: ['äö', '0123456789'],
};

describe('what is billed of what was counted', () => {
  test('requests, messages, traces and units are counts', () => {
    expect(usageOf(READING, CALLERS, { stateEntries: 4 })).toMatchObject({
      apiRequests: 1,
      // One trace in twenty is recorded.
      traces: 0.05,
      invocations: 4,
      stateEntries: 4,
      writeUnits: 12,
      readUnits: 7.5,
      // One send by a function; a receive and a delete by the poller.
      queueRequests: 3,
    });
  });

  test('compute is memory by time, each invocation rounded up to a millisecond', () => {
    // 0.5 GB for 200 ms and 100 ms, 1 GB for 51 ms, 0.25 GB for 40 ms.
    const { gigabyteSeconds } = usageOf(READING, CALLERS, { stateEntries: 0 });
    expect(gigabyteSeconds).toBeCloseTo(0.1 + 0.05 + 0.051 + 0.01, 9);
  });

  test('compute may be reckoned with a duration known from elsewhere', () => {
    const { gigabyteSeconds } = usageOf(READING, CALLERS, { stateEntries: 0, durationMs: 20 });
    expect(gigabyteSeconds).toBeCloseTo(0.02 * (0.5 + 0.5 + 1 + 0.25), 9);
  });

  test('logs are lines with what CloudWatch and Lambda add', () => {
    const { logGigabytes = 0 } = usageOf(READING, CALLERS, { stateEntries: 0 });
    expect(logGigabytes * 1024 ** 3).toBeCloseTo(4 + 26 + 10 + 26 + 4 * 420, 6);
  });
});

test('a metric is billed once for each set of dimensions', () => {
  const line = (status: string) =>
    JSON.stringify({
      _aws: {
        CloudWatchMetrics: [
          { Dimensions: [['service', 'status']], Metrics: [{ Name: 'SagaRestarted' }] },
        ],
      },
      service: 'ordersaga',
      status,
      SagaRestarted: 1,
    });
  const lines = [line('CREATED'), '{"level":"INFO"}', line('PENDING_PAYMENT'), line('CREATED')];
  expect([...new Set(metricsIn(lines))]).toEqual([
    'SagaRestarted service=ordersaga status=CREATED',
    'SagaRestarted service=ordersaga status=PENDING_PAYMENT',
  ]);
});

test('a month without orders has 43,800 rounds, and queues that are asked all the time', () => {
  const round = { invocations: 2, readUnits: 16 };
  expect(idleMonth(round, { queues: 2, alarmMetrics: 16, customMetrics: 2 })).toEqual({
    invocations: 87_600,
    readUnits: 700_800,
    queueRequests: 1_314_000,
    alarmMetrics: 16,
    customMetrics: 2,
    dashboards: 1,
    keys: 1,
  });
});
