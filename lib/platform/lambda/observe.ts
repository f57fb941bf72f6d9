import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type LogContext, loggerFor } from './logging.ts';

interface Event {
  /** How loudly its line is logged. */
  readonly level: 'info' | 'warn' | 'error';
  /** Of its metric, which besides has `service`; few values each. */
  readonly dimensions: readonly string[];
}

/** Everything that operators count. */
export const EVENTS = {
  OrderStatusChanged: { level: 'info', dimensions: ['from', 'to'] },
  PaymentStatusChanged: { level: 'info', dimensions: ['from', 'to'] },
  /** What follows is a retry of the step, or a dead letter. */
  StepFailed: { level: 'warn', dimensions: ['step', 'failure'] },
  /** What follows is another delivery of the message, or a dead letter. */
  MessageFailed: { level: 'warn', dimensions: ['operation'] },
  CircuitChanged: { level: 'warn', dimensions: ['circuit', 'to'] },
  SagaRestarted: { level: 'warn', dimensions: ['status'] },
  DeadLetterSent: { level: 'error', dimensions: ['step'] },
  CompensationRequested: { level: 'warn', dimensions: [] },
  CompensationDone: { level: 'info', dimensions: ['kind'] },
  RefundOwed: { level: 'warn', dimensions: ['reason'] },
  DuplicateRefused: { level: 'info', dimensions: ['code'] },
  DueWorkDispatched: { level: 'info', dimensions: ['kind'] },
  /** Of the dispatcher or the sweeper: the next round goes on where this one ended. */
  RoundCutShort: { level: 'warn', dimensions: ['operation'] },
  ShardNotRead: { level: 'error', dimensions: ['operation'] },
  ReservationExpired: { level: 'info', dimensions: [] },
  AcknowledgementHandled: { level: 'info', dimensions: ['status'] },
} as const satisfies Readonly<Record<string, Event>>;

/** Everything that operators measure. A metric only: no line, for it is told in every round. */
export const GAUGES = {
  /** For how long the oldest work that a round found had been due when it began; 0 for none. */
  OldestDueWork: { unit: MetricUnit.Seconds, dimensions: ['operation'] },
} as const;

export type EventName = keyof typeof EVENTS;
type GaugeName = keyof typeof GAUGES;

type DimensionsOf<Shape extends { readonly dimensions: readonly string[] }> = Readonly<
  Record<Shape['dimensions'][number], string>
>;

/** Its namespace is POWERTOOLS_METRICS_NAMESPACE: every stage has its own. */
let metrics: Metrics | undefined;

/**
 * Tells operators what has happened: one structured line, and one metric of the same name in
 * CloudWatch's embedded format.
 * @param dimensions of the metric. They are in the line, too.
 * @param facts in the line only.
 */
export function observe<Name extends EventName>(
  event: Name,
  about: LogContext,
  dimensions: DimensionsOf<(typeof EVENTS)[Name]>,
  facts: Readonly<Record<string, unknown>> = {},
): void {
  loggerFor(about)[EVENTS[event].level](event, { ...dimensions, ...facts });
  metricWith(dimensions).addMetric(event, MetricUnit.Count, 1);
}

/** Tells operators how much of something there is, in the gauge's own unit. */
export function measure<Name extends GaugeName>(
  gauge: Name,
  dimensions: DimensionsOf<(typeof GAUGES)[Name]>,
  value: number,
): void {
  metricWith(dimensions).addMetric(gauge, GAUGES[gauge].unit, value);
}

function metricWith(dimensions: Readonly<Record<string, string>>): Metrics {
  metrics ??= new Metrics({ serviceName: 'ordersaga' });
  const single = metrics.singleMetric();
  for (const [name, value] of Object.entries(dimensions)) single.addDimension(name, value);
  return single;
}
