import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type LogContext, loggerFor } from './logging.ts';

interface Event {
  /** Level of the log line. */
  readonly level: 'info' | 'warn' | 'error';
  /** Dimensions of the metric, besides `service`; few values each. */
  readonly dimensions: readonly string[];
}

/** Events that operators count. */
export const EVENTS = {
  OrderStatusChanged: { level: 'info', dimensions: ['from', 'to'] },
  PaymentStatusChanged: { level: 'info', dimensions: ['from', 'to'] },
  /** A retry of the step follows, or a dead letter. */
  StepFailed: { level: 'warn', dimensions: ['step', 'failure'] },
  /** A business rule refused the step's work; the state machine takes another branch. */
  StepRefused: { level: 'info', dimensions: ['step', 'refusal'] },
  /** Another delivery of the message follows, or a dead letter. */
  MessageFailed: { level: 'warn', dimensions: ['operation'] },
  /** A caller without a good token, scope, credential or signature. */
  AccessRefused: { level: 'warn', dimensions: ['callers', 'code'] },
  /** A person changed what is sold, at which price, or how much of it there is. */
  ProductChanged: { level: 'info', dimensions: ['change'] },
  CircuitChanged: { level: 'warn', dimensions: ['circuit', 'to'] },
  SagaRestarted: { level: 'warn', dimensions: ['status'] },
  /** Not counted: a letter that SQS itself moves after its last delivery. */
  DeadLetterSent: { level: 'error', dimensions: ['step'] },
  CompensationRequested: { level: 'warn', dimensions: [] },
  CompensationDone: { level: 'info', dimensions: ['kind'] },
  RefundOwed: { level: 'warn', dimensions: ['reason'] },
  DuplicateRefused: { level: 'info', dimensions: ['code'] },
  DueWorkDispatched: { level: 'info', dimensions: ['kind'] },
  /** The next round of the dispatcher or the sweeper goes on with the rest. */
  RoundCutShort: { level: 'warn', dimensions: ['operation'] },
  /** A round that ended early, or could not read all due work. */
  RoundFailed: { level: 'error', dimensions: ['operation'] },
  ReservationExpired: { level: 'info', dimensions: [] },
  /** The database can never take a request of this code: no outage, but a bug. */
  ImpossibleRequest: { level: 'error', dimensions: [] },
  /** By the status that the gateway told when it was asked. */
  AcknowledgementHandled: { level: 'info', dimensions: ['status'] },
  /** A signed event that names no payment. */
  EventNotUnderstood: { level: 'warn', dimensions: [] },
} as const satisfies Readonly<Record<string, Event>>;

/** Values that operators measure. They have no log line, because every round reports them. */
export const GAUGES = {
  /** Age of the oldest due work when a round began; 0 if there was none. */
  OldestDueWork: { unit: MetricUnit.Seconds, dimensions: ['operation'] },
} as const;

export type EventName = keyof typeof EVENTS;
type GaugeName = keyof typeof GAUGES;

type DimensionsOf<Shape extends { readonly dimensions: readonly string[] }> = Readonly<
  Record<Shape['dimensions'][number], string>
>;

let metrics: Metrics | undefined;

/**
 * Writes one metric by itself, with no dimensions but these. Its namespace is POWERTOOLS_METRICS_NAMESPACE; every
 * stage has its own.
 */
function writeMetric(
  name: string,
  unit: (typeof MetricUnit)[keyof typeof MetricUnit],
  value: number,
  dimensions: Readonly<Record<string, string>>,
): void {
  metrics ??= new Metrics({ serviceName: 'ordersaga', singleMetric: true });
  // Not `addDimensions`: that adds a second set of dimensions, and so a second metric.
  for (const [dimension, text] of Object.entries(dimensions)) metrics.addDimension(dimension, text);
  metrics.addMetric(name, unit, value);
}

/**
 * Reports an event to operators: one structured line, and one metric of the same name in CloudWatch's
 * embedded format.
 * @param dimensions of the metric and the line.
 * @param facts of the line only.
 */
export function observe<Name extends EventName>(
  event: Name,
  about: LogContext,
  dimensions: DimensionsOf<(typeof EVENTS)[Name]>,
  facts: Readonly<Record<string, unknown>> = {},
): void {
  loggerFor(about)[EVENTS[event].level](event, { ...dimensions, ...facts });
  writeMetric(event, MetricUnit.Count, 1, dimensions);
}

/** Reports a value to operators, in the gauge's own unit. */
export function measure<Name extends GaugeName>(
  gauge: Name,
  dimensions: DimensionsOf<(typeof GAUGES)[Name]>,
  value: number,
): void {
  writeMetric(gauge, GAUGES[gauge].unit, value, dimensions);
}
