import { plus, type Quantities } from './bill.ts';
import type { Callers, Reading } from './meter.ts';

/** CloudWatch bills each line with this overhead. */
const BYTES_PER_LOG_EVENT = 26;
/** Size of Lambda's own log lines of an invocation: START, END and REPORT, with the trace's id. */
const PLATFORM_LOG_BYTES = 420;
/** The poller receives and deletes each message that it delivers. */
const QUEUE_REQUESTS_PER_DELIVERY = 2;

/** Share of traces recorded beyond one a second: TRACE_SAMPLE_SHARE in serverless.yml. */
const SAMPLED_SHARE = 0.05;

const BYTES_PER_GIGABYTE = 2 ** 30;

export interface UsageOptions {
  readonly stateEntries: number;
  /** Replaces the durations measured on this machine. */
  readonly durationMs?: number | undefined;
}

/** Quantities that AWS would bill for a reading. */
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
        // AWS bills each begun millisecond.
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
    traces: SAMPLED_SHARE * called(callers.http),
  };
}

/** Custom metrics in a log. AWS bills each name with each set of dimensions as one. */
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

/** AWS bills months of 730 hours. */
const MINUTES_PER_MONTH = 730 * 60;

/** Lambda polls each queue with five connections for 20 s each, even if no message comes. */
const IDLE_QUEUE_REQUESTS_PER_MINUTE = 15;

/** Quantities of a deployed stage in a month without orders. */
export function idleMonth(
  /** One idle round of the dispatcher and the sweeper. */
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
