import { describe, expect, test } from 'vitest';
import { IN_FLIGHT_MS } from '../../lib/orders/open-orders.ts';
import { FUNCTION_SECONDS } from '../../statemachines/constants.ts';
import {
  deployedFunctions,
  deployedRoutes,
  functionFiles,
  functionOfTask,
  functionTimeouts,
  load,
  queueOf,
  readOrderSaga,
  resourcesOf,
} from './deployment.ts';

test('every function in infrastructure/functions.yml has its file, and every file its function', () => {
  expect(functionFiles()).toEqual([...deployedFunctions().values()].sort());
});

test.each([...deployedFunctions()])(
  '%s can be loaded without an environment',
  async (_name, file) => {
    expect(await load(file)).toHaveProperty('handler', expect.any(Function));
  },
);

describe('a time-out', () => {
  const timeouts = functionTimeouts();
  const timeoutOf = (key: string | undefined) => timeouts.get(key ?? '') ?? Number.NaN;
  /** API Gateway answers 504 after this time, even if the function goes on. */
  const GATEWAY_SECONDS = 29;
  /** The longest `Prefer: wait`, plus reads and writes with their retries. */
  const LONGEST_WAIT_SECONDS = 10 + 5;

  test('of a function of the API ends it while its caller still listens', () => {
    for (const key of deployedRoutes().values()) {
      expect(timeoutOf(key), key).toBeLessThan(GATEWAY_SECONDS);
    }
  });

  test('leaves a caller who wants to wait the time for it', () => {
    for (const key of ['placeOrder', 'modifyOrder', 'retryOrder', 'startPayment', 'retryPayment']) {
      expect(timeoutOf(key), key).toBeGreaterThan(LONGEST_WAIT_SECONDS);
    }
  });

  test('of a function that enters an order ends it long before its entry is free', () => {
    for (const key of ['placeOrder', 'modifyOrder', 'retryOrder', 'retryPayment']) {
      expect(timeoutOf(key) * 2, key).toBeLessThan(IN_FLIGHT_MS / 1000);
    }
  });

  test("of a saga's task ends it before the state machine takes it for lost", () => {
    for (const [name, task] of Object.entries(readOrderSaga().States)) {
      // A task that waits for its token outlives its function.
      if (task.Type !== 'Task' || typeof task.TimeoutSeconds !== 'number') continue;
      expect(timeoutOf(functionOfTask(task)), name).toBe(FUNCTION_SECONDS);
      expect(FUNCTION_SECONDS, name).toBeLessThan(task.TimeoutSeconds);
    }
  });

  test('of a consumer is six times within the time that its message is hidden', () => {
    const queues = resourcesOf('AWS::SQS::Queue');
    for (const key of timeouts.keys()) {
      const queue = queueOf(key);
      if (queue === undefined) continue;
      const hiddenSeconds = Number(queues.get(queue)?.Properties['VisibilityTimeout']);
      expect(timeoutOf(key) * 6, key).toBeLessThanOrEqual(hiddenSeconds);
    }
  });
});
