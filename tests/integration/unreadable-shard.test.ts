import { expect, test } from 'vitest';
import { DUE_SHARDS } from '../../lib/platform/dynamo/items.ts';
import { shardOf } from '../../lib/platform/ids.ts';
import { busyDatabase, databaseCall, inject } from '../support/faults.ts';
import { LEFT_OVER } from '../support/left-over.ts';
import { dispatch } from '../support/rounds.ts';
import { Scene } from '../support/scene.ts';
import { newProduct } from '../support/shop.ts';
import { executions } from '../support/stack.ts';

const MINUTE_MS = 60_000;

// A file of its own: a round of the schedule, which falls due after an hour, would start what this one leaves.
const scene = new Scene({ SCHEDULE_SECONDS: '3600' });

test('a shard that cannot be read keeps the others from nothing, and somebody hears of it', async () => {
  const productId = await newProduct(100);
  const ids: string[] = [];
  // An order in every shard: whichever cannot be read keeps one back.
  const shards = new Set<number>();
  while (shards.size < DUE_SHARDS) {
    const { orderId } = await LEFT_OVER.created(productId);
    ids.push(orderId);
    shards.add(shardOf(orderId, DUE_SHARDS));
  }
  const started = async () => {
    const names = (await executions(scene.stack)).map(({ name }) => name);
    return ids.filter((orderId) => names.includes(`${orderId}-1`)).length;
  };
  scene.stack.clock.skip(MINUTE_MS);
  inject(scene.stack, {
    on: databaseCall('Query', 'orders'),
    times: 3,
    act: busyDatabase(() => 0),
  });

  await expect(dispatch()).rejects.toMatchObject({ name: 'InfrastructureUnavailable' });

  const atOnce = await started();
  expect(atOnce).toBeGreaterThan(ids.length / 2);
  expect(atOnce).toBeLessThan(ids.length);
  await dispatch();
  expect(await started()).toBe(ids.length);
});
