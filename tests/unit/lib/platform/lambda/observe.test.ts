import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { measure, observe } from '../../../../../lib/platform/lambda/observe.ts';

/** Includes the stage, so that two stages of an account never share a metric. */
const NAMESPACE = 'ordersaga/test';

process.env['POWERTOOLS_METRICS_NAMESPACE'] = NAMESPACE;

let lines: Record<string, unknown>[];

beforeEach(() => {
  lines = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(JSON.parse(String(text)) as Record<string, unknown>);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(JSON.parse(String(text)) as Record<string, unknown>);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Metrics that CloudWatch extracts from a line in its embedded format. */
function metricsIn(line: Record<string, unknown> | undefined): unknown {
  const { CloudWatchMetrics } = line?.['_aws'] as { readonly CloudWatchMetrics: unknown };
  return CloudWatchMetrics;
}

describe('what operators see', () => {
  test('an event is a line with its facts and a metric with its dimensions', () => {
    observe(
      'CircuitChanged',
      { orderId: 'ord-1' },
      { circuit: 'inventory', to: 'OPEN' },
      { from: 'CLOSED' },
    );
    const [line, metric] = lines;
    expect(line).toMatchObject({
      level: 'WARN',
      message: 'CircuitChanged',
      orderId: 'ord-1',
      circuit: 'inventory',
      to: 'OPEN',
      from: 'CLOSED',
    });
    expect(metricsIn(metric)).toEqual([
      {
        Namespace: NAMESPACE,
        Dimensions: [['service', 'circuit', 'to']],
        Metrics: [{ Name: 'CircuitChanged', Unit: 'Count' }],
      },
    ]);
    expect(metric).toMatchObject({
      service: 'ordersaga',
      circuit: 'inventory',
      to: 'OPEN',
      CircuitChanged: 1,
    });
  });

  test('a gauge is a metric only, in its own unit', () => {
    measure('OldestDueWork', { operation: 'dispatch-due-work' }, 42.5);
    expect(lines).toHaveLength(1);
    expect(metricsIn(lines[0])).toEqual([
      {
        Namespace: NAMESPACE,
        Dimensions: [['service', 'operation']],
        Metrics: [{ Name: 'OldestDueWork', Unit: 'Seconds' }],
      },
    ]);
    expect(lines[0]).toMatchObject({ operation: 'dispatch-due-work', OldestDueWork: 42.5 });
  });
});
