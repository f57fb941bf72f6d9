import { expect, test } from 'vitest';
import { inventoryClient } from '../../../../lib/inventory/inventory-client.ts';
import {
  CacheTimeout,
  InventoryMisunderstood,
  InventoryRestarting,
  InventoryThrottled,
  InventoryUnavailable,
  LockContention,
  OutOfStock,
} from '../../../../lib/inventory/refusals.ts';
import { readConfig } from '../../../../lib/platform/config.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';
import { REQUIRED } from '../platform/environment.ts';

const OF = { orderId: 'ord_1', correlationId: 'c-1', revision: 1 };
const HOLD = { holdSeconds: 900, keepsTime: false };

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client whose every call is answered like this, and the writes of its circuit. */
function clientAnswered({ status, body, headers = {} }: Answer) {
  const writes: unknown[] = [];
  const documents = {
    send: (command: { readonly input: { readonly Item?: unknown } }) => {
      if (command.input.Item !== undefined) writes.push(command.input.Item);
      return Promise.resolve({});
    },
  };
  const runtime = {
    config: readConfig(REQUIRED),
    clock: { now: () => 0, schedule: () => () => undefined },
    random: () => 0.5,
    aws: { clients: { documents } },
    http: () => Promise.resolve({ status, headers: new Headers(headers), body }),
  } as unknown as Runtime;
  return { client: inventoryClient(runtime), writes };
}

const code = (name: string) => ({ code: name, detail: 'Told.' });

// An answer that is not understood is about this call only: a bug, or one request that a gateway before Inventory refuses.
test.each<[string, Answer]>([
  ['400', { status: 400, body: code('BAD_REQUEST') }],
  ['401', { status: 401, body: code('UNAUTHENTICATED') }],
  ['403 of something before it', { status: 403, body: { Message: 'Forbidden' } }],
  ['404 to a change', { status: 404, body: code('NOT_FOUND') }],
  ['413', { status: 413, body: '<html>' }],
  ['409 with a code of nobody', { status: 409, body: code('WHO_KNOWS') }],
  ['422 with a code that is no text', { status: 422, body: { code: 7 } }],
  ['200 with something else', { status: 200, body: '<html>' }],
  ['204', { status: 204 }],
])('%s is a misunderstanding of one call, and counts for no circuit', async (_what, answer) => {
  const { client, writes } = clientAnswered(answer);
  await expect(client.reserve(OF, [], HOLD)).rejects.toBeInstanceOf(InventoryMisunderstood);
  expect(writes).toEqual([]);
});

test.each<[string, Answer, new (message: string) => Error, number]>([
  ['a refusal by its name', { status: 422, body: code('OUT_OF_STOCK') }, OutOfStock, 0],
  ['LOCK_CONTENTION', { status: 503, body: code('LOCK_CONTENTION') }, LockContention, 0],
  ['CACHE_TIMEOUT', { status: 503, body: code('CACHE_TIMEOUT') }, CacheTimeout, 0],
  ['429', { status: 429 }, InventoryThrottled, 0],
  [
    'an overloaded database of Inventory',
    { status: 503, headers: { 'retry-after': '1' }, body: code('OVERLOADED') },
    InventoryThrottled,
    0,
  ],
  ['500', { status: 500 }, InventoryUnavailable, 1],
  [
    '503 with Retry-After',
    { status: 503, headers: { 'retry-after': '7' } },
    InventoryRestarting,
    1,
  ],
])('%s is thrown by name', async (_what, answer, name, counted) => {
  const { client, writes } = clientAnswered(answer);
  await expect(client.reserve(OF, [], HOLD)).rejects.toBeInstanceOf(name);
  expect(writes).toHaveLength(counted);
});

test('no answer asks for a pause of more than an hour', async () => {
  const headers = { 'retry-after': '999999999' };
  const { client } = clientAnswered({ status: 503, headers });
  await expect(client.reserve(OF, [], HOLD)).rejects.toMatchObject({ retryAfterSeconds: 3600 });
});

test('a reservation that Inventory says it does not have is none', async () => {
  const { client } = clientAnswered({ status: 404, body: code('NOT_FOUND') });
  expect(await client.findReservation(OF)).toBeUndefined();
});

// Taken for "there is none", it would fail an order whose stock is held.
test('a 404 of anything before Inventory is no word about a reservation', async () => {
  const { client } = clientAnswered({ status: 404, body: { message: 'Not Found' } });
  await expect(client.findReservation(OF)).rejects.toBeInstanceOf(InventoryMisunderstood);
});
