import { describe, expect, test } from 'vitest';
import { average, billOf, type Item, type Price, plus, times } from '../../../bench/cost/bill.ts';

function price(usd: number, per: number, unit: string): Price {
  return { usd, per, unit };
}

const PRICES: Readonly<Record<Item, Price>> = {
  apiRequests: price(3.5, 1_000_000, 'requests'),
  invocations: price(0.2, 1_000_000, 'invocations'),
  gigabyteSeconds: price(0.0000133334, 1, 'GB-seconds'),
  stateEntries: price(0.025, 1000, 'state entries'),
  writeUnits: price(0.625, 1_000_000, 'write units'),
  readUnits: price(0.125, 1_000_000, 'read units'),
  queueRequests: price(0.4, 1_000_000, 'queue requests'),
  logGigabytes: price(0.5, 1, 'GB of logs'),
  traces: price(5, 1_000_000, 'traces'),
  customMetrics: price(0.3, 1, 'metrics'),
  alarmMetrics: price(0.1, 1, 'alarms'),
  dashboards: price(3, 1, 'dashboards'),
  keys: price(1, 1, 'keys'),
};

describe('a bill', () => {
  test('is quantity by price, the dearest first, with shares of the whole', () => {
    // A million orders, with four state entries, 49 write units and six requests each.
    const bill = billOf(
      times({ stateEntries: 4, writeUnits: 49, apiRequests: 6 }, 1_000_000),
      PRICES,
    );
    expect(bill.lines.map(({ unit, quantity }) => [unit, quantity])).toEqual([
      ['state entries', 4_000_000],
      ['write units', 49_000_000],
      ['requests', 6_000_000],
    ]);
    expect(bill.lines.map(({ usd }) => usd.toFixed(3))).toEqual(['100.000', '30.625', '21.000']);
    expect(bill.usd).toBeCloseTo(151.625, 9);
    expect(bill.lines.map(({ share }) => (100 * share).toFixed(1))).toEqual([
      '66.0',
      '20.2',
      '13.8',
    ]);
  });

  test('prices compute by memory and time: 10 invocations of 200 ms at 512 MB are 1 GB-second', () => {
    expect(billOf({ gigabyteSeconds: 10 * 0.2 * 0.5 }, PRICES).usd).toBeCloseTo(0.0000133334, 12);
  });

  test('leaves out what is not used, and is nothing for nothing', () => {
    expect(billOf({ queueRequests: 0, keys: 1 }, PRICES).lines).toEqual([
      { unit: 'keys', quantity: 1, usd: 1, share: 1 },
    ]);
    expect(billOf({ queueRequests: 0 }, PRICES)).toEqual({ lines: [], usd: 0 });
  });
});

describe('quantities', () => {
  test('are added up by item', () => {
    expect(plus({ writeUnits: 2, traces: 1 }, { writeUnits: 3 }, {})).toEqual({
      writeUnits: 5,
      traces: 1,
    });
  });

  test('of a mix are each way by its share', () => {
    const ways = {
      paid: { stateEntries: 4, writeUnits: 50 },
      declined: { stateEntries: 5, writeUnits: 40 },
      expired: { stateEntries: 4, queueRequests: 2 },
    };
    expect(average(ways, { paid: 0.5, declined: 0.25, expired: 0.25 })).toEqual({
      stateEntries: 4.25,
      writeUnits: 35,
      queueRequests: 0.5,
    });
  });

  test('of a mix that forgets some orders are refused', () => {
    expect(() => average({ paid: {}, declined: {} }, { paid: 0.9, declined: 0.05 })).toThrow(
      /add up to 0\.95/,
    );
  });
});
