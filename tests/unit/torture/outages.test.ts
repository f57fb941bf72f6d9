import { describe, expect, test } from 'vitest';
import type { CarriedOut } from '../../../local/dynamodb/memory-dynamodb.ts';
import { Outages } from '../../../torture/outages.ts';
import type { RecordedEffect, WorldInterceptor } from '../../../torture/world/effect-log.ts';
import { GATEWAY_URL, INVENTORY_URL } from '../../../torture/world/settings.ts';

const passThrough: WorldInterceptor = (_effect, proceed) => proceed();

function change(from: string | undefined, to: string, type = 'CIRCUIT'): CarriedOut {
  const item = (status: string) => ({ type: { S: type }, status: { S: status } });
  const before = from === undefined ? undefined : item(from);
  return { table: 'orders', before, after: item(to), isAllowedOver: () => false };
}

const OPENED = [change('CLOSED', 'OPEN')];

function call(path: string): RecordedEffect {
  return { kind: 'http', operation: 'PUT', target: INVENTORY_URL + path } as RecordedEffect;
}

const about = (orderId: string) => call(`/inventory/reservation/${orderId}`);

/** Outages for which the calls of two orders have to fail. */
class Seen {
  nowMs = 0;
  readonly outages = new Outages(2, () => this.nowMs);

  async answered(effect: RecordedEffect, status: number): Promise<void> {
    await this.outages.watching(passThrough)(effect, () => Promise.resolve({ status }));
  }

  async unanswered(effect: RecordedEffect): Promise<void> {
    const lost = () => Promise.reject(new TypeError('fetch failed'));
    await expect(this.outages.watching(passThrough)(effect, lost)).rejects.toThrow(TypeError);
  }

  opened(writes = OPENED): string[] {
    return this.outages.brokenCircuits(writes);
  }
}

describe('a circuit that opens', () => {
  test('is right where calls of enough orders have failed', async () => {
    const seen = new Seen();
    await seen.answered(about('ord_1'), 502);
    await seen.unanswered(about('ord_2'));
    expect(seen.opened()).toEqual([]);
  });

  test('is wrong where one order’s have, however often', async () => {
    const seen = new Seen();
    await seen.answered(about('ord_1'), 502);
    await seen.unanswered(call('/inventory/reservation/ord_1/confirm'));
    const words = 'P8: the circuit opens, and calls of 1 orders have failed';
    expect(seen.opened()).toEqual([words]);
    expect(seen.opened([change(undefined, 'OPEN')])).toEqual([words]);
  });

  test.each([400, 404, 429])('is wrong after answers of %i', async (status) => {
    const seen = new Seen();
    await seen.answered(about('ord_1'), status);
    await seen.answered(about('ord_2'), status);
    expect(seen.opened()).toHaveLength(1);
  });

  test('is wrong long after the failures', async () => {
    const seen = new Seen();
    await seen.unanswered(about('ord_1'));
    await seen.unanswered(about('ord_2'));
    seen.nowMs = 600_000;
    expect(seen.opened()).toHaveLength(1);
  });

  test('is wrong after failures of others than Inventory', async () => {
    const seen = new Seen();
    for (const orderId of ['ord_1', 'ord_2']) {
      await seen.unanswered({ ...about(orderId), target: `${GATEWAY_URL}/charges/${orderId}` });
    }
    expect(seen.opened()).toHaveLength(1);
  });
});

test.each([
  ['that is tried again', [change('OPEN', 'HALF_OPEN')]],
  ['that stays open, because the one call of its first step failed', [change('HALF_OPEN', 'OPEN')]],
  ['that counts', [change('CLOSED', 'CLOSED')]],
])('a circuit %s needs no failure', (_what, writes) => {
  expect(new Seen().opened(writes)).toEqual([]);
});

test('another item’s status is no circuit’s', () => {
  expect(new Seen().opened([change('CLOSED', 'OPEN', 'ORDER')])).toEqual([]);
});
