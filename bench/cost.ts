import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { alarms } from '../tests/contract/deployment.ts';
import { average, billOf, type Prices, plus, type Quantities, times } from './cost/bill.ts';
import { startMeter } from './cost/meter.ts';
import { billTable, usageTable } from './cost/text.ts';
import { idleMonth, metricsIn, usageOf } from './cost/usage.ts';
import { RESERVATION_SECONDS, take, WAYS, type Way } from './cost/ways.ts';

const USAGE = `Usage: npm run -s cost -- [--duration-ms N]

Measures on an embedded stack the billed quantities of an order. Prints the cost of a million orders
and of an idle stage, by bench/cost/prices.json.

  --duration-ms N  average duration of an invocation, if it is known from a deployed stage;
                   by default, the duration on this machine
  --help           this text`;

/** Orders measured per way, after one to warm up. */
const ORDERS = 5;

/** Shares of the outcomes of a healthy shop's orders; change them for yours. */
const MIX: Readonly<Record<Way, number>> = {
  paid: 0.7,
  acknowledged: 0.2,
  declined: 0.05,
  expired: 0.05,
};

const MILLION = 1_000_000;

interface PriceList {
  readonly region: string;
  readonly asOf: string;
  readonly prices: Prices;
}

interface Measured {
  readonly ways: Readonly<Record<Way, Quantities>>;
  /** One idle round of the dispatcher and the sweeper. */
  readonly round: Quantities;
  readonly customMetrics: { readonly all: number; readonly idle: number };
  readonly queues: number;
}

async function measure(durationMs: number | undefined): Promise<Measured> {
  // The interval is longer than the run, so the measurement holds orders alone: they expire before the dispatcher's
  // next round.
  const meter = await startMeter({
    SCHEDULE_SECONDS: '3600',
    RESERVATION_TTL_SECONDS: String(RESERVATION_SECONDS),
  });
  const metrics = new Set<string>();
  try {
    const ways: Partial<Record<Way, Quantities>> = {};
    for (const way of Object.keys(WAYS) as Way[]) {
      await meter.stateEntries(await take(meter, way, `${way}-to-warm-up`));
      meter.read();
      let stateEntries = 0;
      for (let order = 0; order < ORDERS; order += 1) {
        stateEntries += await meter.stateEntries(await take(meter, way, `${way}-${String(order)}`));
      }
      const reading = meter.read();
      for (const metric of metricsIn(reading.logLines)) metrics.add(metric);
      const usage = usageOf(reading, meter.callers, { stateEntries, durationMs });
      ways[way] = times(usage, 1 / ORDERS);
    }
    await meter.stack.runSchedules();
    meter.read();
    await meter.stack.runSchedules();
    const round = meter.read();
    const idle = new Set(metricsIn(round.logLines));
    return {
      ways: ways as Measured['ways'],
      round: {
        ...usageOf(round, meter.callers, { stateEntries: 0, durationMs }),
        traces: round.invocations.length,
      },
      customMetrics: { all: new Set([...metrics, ...idle]).size, idle: idle.size },
      queues: meter.callers.queue.size,
    };
  } finally {
    await meter.stop();
  }
}

function readDuration(): number | undefined {
  const { values } = parseArgs({
    options: { 'duration-ms': { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    console.log(USAGE);
    process.exit(0);
  }
  const text = values['duration-ms'];
  if (text === undefined) return undefined;
  const durationMs = Number(text);
  if (text.trim() !== '' && durationMs > 0 && Number.isFinite(durationMs)) return durationMs;
  throw new RangeError(`--duration-ms must be milliseconds above 0, not "${text}".`);
}

function print({ ways, round, customMetrics, queues }: Measured, list: PriceList): void {
  const { prices, region, asOf } = list;
  const idle = idleMonth(round, {
    queues,
    alarmMetrics: [...alarms().values()].flatMap(({ metrics }) => metrics).length,
    customMetrics: customMetrics.idle,
  });
  const orders = times(average(ways, MIX), MILLION);
  const month = plus(orders, idle, { customMetrics: customMetrics.all - customMetrics.idle });
  const rows = (Object.keys(ways.paid) as (keyof Quantities)[]).map((item) => ({
    item,
    unit: prices[item].unit,
  }));
  const perMillion = (way: Way) => billOf(times(ways[way], MILLION), prices).usd.toFixed(0);
  const sections = [
    `Prices: ${region}, ${asOf}.`,
    '## What an order uses',
    usageTable(ways, rows),
    ...(Object.keys(WAYS) as Way[]).map(
      (way) => `- *${way}*: ${WAYS[way]}; a million of them ${perMillion(way)} USD`,
    ),
    '## A million orders',
    `Of them ${(Object.entries(MIX) as [Way, number][])
      .map(([way, share]) => `${String(100 * share)} % ${way}`)
      .join(', ')}.`,
    billTable(billOf(orders, prices)),
    '## A month without orders',
    billTable(billOf(idle, prices)),
    `A month with a million orders: ${billOf(month, prices).usd.toFixed(2)} USD, with ${String(customMetrics.all)} metrics of our own.`,
  ];
  console.log(sections.join('\n\n').replaceAll(/(^- .*)\n\n(?=- )/gm, '$1\n'));
}

try {
  const durationMs = readDuration();
  const list = JSON.parse(
    readFileSync(new URL('cost/prices.json', import.meta.url), 'utf8'),
  ) as PriceList;
  print(await measure(durationMs), list);
} catch (error) {
  if (
    !(
      error instanceof RangeError ||
      (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
    )
  )
    throw error;
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}
