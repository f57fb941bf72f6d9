import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { EXPIRY_SHARDS } from '../../lib/inventory/inventory-repository.ts';
import { documentClient } from '../../lib/platform/dynamo/database-client.ts';
import { DUE_SHARDS, shardName } from '../../lib/platform/dynamo/items.ts';
import { deriveId, shardOf } from '../../lib/platform/ids.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';

type Item = Readonly<Record<string, unknown>>;

const WRITES_AT_ONCE = 25;

/**
 * Copies everything that an order has in both services' tables under new ids, with new shards and counted
 * stock. So a test gets many orders in one state at the cost of one.
 * @returns the ids of the copies.
 */
export async function copiesOf(
  { orderId }: { readonly orderId: string },
  count: number,
): Promise<string[]> {
  const { ORDERS_TABLE, INVENTORY_TABLE } = currentRuntime().config;
  const copies = Array.from({ length: count }, (_none, index) =>
    deriveId('ord', 'copy', orderId, String(index)),
  );
  // A payment's id has its order's in it.
  const withoutPrefix = (id: string) => id.slice('ord_'.length);
  const copied = (item: Item, copy: string): Item => {
    const text = JSON.stringify(item).replaceAll(withoutPrefix(orderId), withoutPrefix(copy));
    return inItsShards(JSON.parse(text) as Item);
  };
  const order = await itemOf(ORDERS_TABLE, `ORDER#${orderId}`);
  const reservation = await itemOf(INVENTORY_TABLE, `RESERVATION#${orderId}`);
  if (order !== undefined) {
    await write(
      ORDERS_TABLE,
      copies.map((copy) => copied(order, copy)),
    );
  }
  if (reservation !== undefined) {
    await write(
      INVENTORY_TABLE,
      copies.map((copy) => copied(reservation, copy)),
    );
    await countStock(reservation, count);
  }
  return copies;
}

function inItsShards(item: Item): Item {
  const id = String(item['pk']).split('#')[1] ?? '';
  return {
    ...item,
    ...('dueShard' in item ? { dueShard: shardName('due', shardOf(id, DUE_SHARDS)) } : {}),
    ...('expiryShard' in item
      ? { expiryShard: shardName('expiry', shardOf(id, EXPIRY_SHARDS)) }
      : {}),
  };
}

async function itemOf(table: string, pk: string): Promise<Item | undefined> {
  const documents = documentClient(currentRuntime().aws);
  return (await documents.send(new GetCommand({ TableName: table, Key: { pk } }))).Item;
}

async function write(table: string, items: readonly Item[]): Promise<void> {
  const documents = documentClient(currentRuntime().aws);
  for (let first = 0; first < items.length; first += WRITES_AT_ONCE) {
    const some = items.slice(first, first + WRITES_AT_ONCE);
    await Promise.all(
      some.map((Item) => documents.send(new PutCommand({ TableName: table, Item }))),
    );
  }
}

/** Counts the units that the copies of a reservation hold or have sold in its products' stock. */
async function countStock(reservation: Item, count: number): Promise<void> {
  const { aws, config } = currentRuntime();
  const lines = (reservation['lines'] ?? []) as { productId: string; quantity: number }[];
  for (const { productId, quantity } of lines) {
    await documentClient(aws).send(
      new UpdateCommand({
        TableName: config.INVENTORY_TABLE,
        Key: { pk: `PRODUCT#${productId}` },
        UpdateExpression: 'ADD available :taken, #counter :pieces',
        ExpressionAttributeNames: {
          '#counter': reservation['status'] === 'CONFIRMED' ? 'sold' : 'reserved',
        },
        ExpressionAttributeValues: { ':taken': -quantity * count, ':pieces': quantity * count },
      }),
    );
  }
}
