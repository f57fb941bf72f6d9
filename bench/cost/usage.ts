import { plus, type Quantities } from './bill.ts';
import type { Callers, Reading } from './meter.ts';

/** What CloudWatch adds to each line it is sent. */
const BYTES_PER_LOG_EVENT = 26;
/** What Lambda itself logs of an invocation: START, END and REPORT, with the trace's id. */
const PLATFORM_LOG_BYTES = 420;
/** Of a message that a function is called with: the poller receives and deletes it. */
const QUEUE_REQUESTS_PER_DELIVERY = 2;

/** The share of traces recorded beyond one a second: TRACE_SAMPLE_SHARE in serverless.yml. */
const SAMPLED_SHARE = 0.05;

const BYTES_PER_GIGABYTE = 2 ** 30;

export interface UsageOptions {
  readonly stateEntries: number;
  /** Instead of what each invocation took on this machine. */
  readonly durationMs?: number | undefined;
}

/** What AWS would bill of what was counted. */
export function usageOf(
  reading: Reading,
  callers: Callers,
  { stateEntries, durationMs }: UsageOptions,
): Quantities {
  const { effects, invocations, logLines, readUnits, writeUnits } = reading;
  const called = (keys: ReadonlySet<string>) =>
    invocations.filter(({ fn }) => keys.has(fn.key)).length;
  const logBytes = logLines.reduce(
    (sum, line) => sum + Buffer.byteLength(line) + BYTES_PER_LOG_EVENT,
    invocations.length * PLATFORM_LOG_BYTES,
  );
  return {
    apiRequests: called(callers.http),
    invocations: invocations.length,
    gigabyteSeconds: invocations.reduce(
      (sum, { fn, durationMs: measuredMs }) =>
        // Billed by the whole millisecond.
        sum + (fn.memoryMegabytes / 1024) * (Math.ceil(durationMs ?? measuredMs) / 1000),
      0,
    ),
    stateEntries,
    writeUnits,
    readUnits,
    queueRequests:
      effects.filter(({ kind }) => kind === 'sqs').length +
      QUEUE_REQUESTS_PER_DELIVERY * called(callers.queue),
    logGigabytes: logBytes / BYTES_PER_GIGABYTE,
    traces: SAMPLED_SHARE * (called(callers.http) - called(callers.service)),
  };
}

/** The metrics of our own in a log: each name with each set of dimensions is billed as one. */
export function metricsIn(logLines: readonly string[]): string[] {
  return logLines.flatMap((line) => {
    const { _aws: embedded, ...values } = JSON.parse(line) as EmbeddedMetrics;
    return (embedded?.CloudWatchMetrics ?? []).flatMap(({ Dimensions, Metrics }) =>
      Metrics.map(({ Name }) =>
        [Name, ...Dimensions.flat().map((key) => `${key}=${String(values[key])}`)].join(' '),
      ),
    );
  });
}

interface EmbeddedMetrics {
  readonly _aws?: {
    readonly CloudWatchMetrics: readonly {
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [key: string]: unknown;
}

/** As months are billed: 730 hours. */
const MINUTES_PER_MONTH = 730 * 60;

/** Lambda asks each queue with five connections, for 20 s each, also while nothing comes. */
const IDLE_QUEUE_REQUESTS_PER_MINUTE = 15;

/** What a deployed stage uses a month while nobody orders anything. */
export function idleMonth(
  /** One round of dispatcher and sweeper that finds nothing. */
  round: Quantities,
  fixed: { readonly queues: number; readonly alarmMetrics: number; readonly customMetrics: number },
): Quantities {
  const { queues, alarmMetrics, customMetrics } = fixed;
  const rounds = Object.fromEntries(
    Object.entries(round).map(([item, quantity]) => [item, quantity * MINUTES_PER_MONTH]),
  );
  return plus(rounds, {
    queueRequests: queues * IDLE_QUEUE_REQUESTS_PER_MINUTE * MINUTES_PER_MONTH,
    alarmMetrics,
    customMetrics,
    dashboards: 1,
    keys: 1,
  });
}
