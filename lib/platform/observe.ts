import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type LogContext, loggerFor } from './logging.ts';

/** Everything that operators count, and how loudly its line is logged. */
const EVENTS = {
  OrderStatusChanged: 'info',
  PaymentStatusChanged: 'info',
  /** What follows is a retry of the step, or a dead letter. */
  StepFailed: 'warn',
  /** What follows is another delivery of the message, or a dead letter. */
  MessageFailed: 'warn',
  CircuitChanged: 'warn',
  SagaRestarted: 'warn',
  DeadLetterSent: 'error',
  CompensationRequested: 'warn',
  CompensationDone: 'info',
  RefundOwed: 'warn',
  DuplicateRefused: 'info',
  DueWorkDispatched: 'info',
  /** Of the dispatcher or the sweeper: the next round goes on where this one ended. */
  RoundCutShort: 'warn',
  ShardNotRead: 'error',
  ReservationExpired: 'info',
  AcknowledgementHandled: 'info',
} as const satisfies Readonly<Record<string, 'info' | 'warn' | 'error'>>;

export type EventName = keyof typeof EVENTS;

let metrics: Metrics | undefined;

/**
 * Tells operators what has happened: one structured line, and one metric of the same name in
 * CloudWatch's embedded format.
 * @param dimensions of the metric; few values each. They are in the line, too.
 * @param facts in the line only.
 */
export function observe(
  event: EventName,
  about: LogContext,
  dimensions: Readonly<Record<string, string>>,
  facts: Readonly<Record<string, unknown>> = {},
): void {
  loggerFor(about)[EVENTS[event]](event, { ...dimensions, ...facts });
  metrics ??= new Metrics({ namespace: 'ordersaga', serviceName: 'ordersaga' });
  const single = metrics.singleMetric();
  for (const [name, value] of Object.entries(dimensions)) single.addDimension(name, value);
  single.addMetric(event, MetricUnit.Count, 1);
}
