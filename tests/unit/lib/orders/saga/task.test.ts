import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { OutOfStock } from '../../../../../lib/inventory/refusals.ts';
import { ConfirmationUnfinished, PaymentPending } from '../../../../../lib/orders/saga/signals.ts';
import { sagaRunSchema, taskHandler } from '../../../../../lib/orders/saga/task.ts';
import { GatewayUnavailable } from '../../../../../lib/payments/refusals.ts';
import { IllegalTransition, ImpossibleState } from '../../../../../lib/platform/errors.ts';

process.env['POWERTOOLS_METRICS_NAMESPACE'] = 'ordersaga/test';

const INPUT = { orderId: 'ord_1', run: 1, correlationId: 'corr-1' };

let lines: Record<string, unknown>[];

beforeEach(() => {
  lines = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      lines.push(JSON.parse(String(text)) as Record<string, unknown>);
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs a step that throws the error, and collects what operators see of it. */
async function seenOf(error: unknown, input: unknown = INPUT) {
  const step = taskHandler('take-payment', sagaRunSchema, () => Promise.reject(error as Error));
  await expect(step(input)).rejects.toBeDefined();
  const isMetric = (line: Record<string, unknown>) => '_aws' in line;
  return {
    told: lines.filter((line) => !isMetric(line)).map(({ level, message }) => [level, message]),
    counted: lines.filter(isMetric).map(({ failure, refusal }) => failure ?? refusal),
  };
}

describe('operators see of a step that throws', () => {
  test('a signal: a branch, and no metric', async () => {
    expect(await seenOf(new PaymentPending('Its acknowledgement follows.'))).toEqual({
      told: [['INFO', 'Step branched']],
      counted: [],
    });
  });

  test('a refusal of a business rule: no failure', async () => {
    expect(await seenOf(new OutOfStock('Sold out.'))).toEqual({
      told: [['INFO', 'StepRefused']],
      counted: ['OutOfStock'],
    });
  });

  test.each([
    ['an outage', new GatewayUnavailable('Away.'), 'GatewayUnavailable'],
    ['a defect', new ImpossibleState('Never.'), 'ImpossibleState'],
    // No branch of the state machine: the step ends in a dead letter.
    ['a refusal nobody expected', new IllegalTransition('No.'), 'IllegalTransition'],
    [
      'what kept it from confirming',
      new ConfirmationUnfinished('Later.', { cause: new GatewayUnavailable('Away.') }),
      'GatewayUnavailable',
    ],
  ])('%s: one failure', async (_case, error, failure) => {
    expect(await seenOf(error)).toEqual({ told: [['WARN', 'StepFailed']], counted: [failure] });
  });

  test('an input that is none: one failure', async () => {
    expect(await seenOf(undefined, { orderId: 7 })).toEqual({
      told: [['WARN', 'StepFailed']],
      counted: ['ZodError'],
    });
  });
});
