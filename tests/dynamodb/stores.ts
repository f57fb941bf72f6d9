import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../lib/platform/clock.ts';
import {
  MemoryDynamoDb,
  type MemoryDynamoDbOptions,
} from '../../local/dynamodb/memory-dynamodb.ts';
import { startMemoryDynamoDbServer } from '../../local/dynamodb/server.ts';
import { startDynamoDbLocal } from '../../local/stack/dynamodb-local.ts';
import { onAnyFreePort } from '../../local/stack/ports.ts';
import { findJava } from '../support/java.ts';

/** A store over HTTP, with the SDK's own client; the client does not retry. */
export interface RunningStore {
  readonly client: DynamoDBClient;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/** A table with an index for these tests. */
export const TABLE = {
  TableName: 'things',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'group', AttributeType: 'S' },
    { AttributeName: 'rank', AttributeType: 'S' },
  ],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byGroup',
      KeySchema: [
        { AttributeName: 'group', KeyType: 'HASH' },
        { AttributeName: 'rank', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
} as const satisfies CreateTableCommandInput;

/** Serves the in-memory tables as the embedded stack does. */
export async function startMemoryStore(
  options: MemoryDynamoDbOptions & { readonly holdMs?: number; readonly clock?: Clock } = {},
): Promise<RunningStore> {
  const store = new MemoryDynamoDb(options);
  const server = await startMemoryDynamoDbServer({ ...options, store, host: HOST, port: 0 });
  const client = clientOf(server.port);
  return {
    client,
    stop: async () => {
      client.destroy();
      await server.stop();
    },
  };
}

/** Starts DynamoDB Local; undefined if there is no Java to run it. */
export async function startLocalStore(): Promise<RunningStore | undefined> {
  const java = await findJava();
  if (java === undefined) return undefined;
  return onAnyFreePort(async (port) => {
    const client = clientOf(port);
    const database = await startDynamoDbLocal(java, port, client);
    return {
      client,
      stop: async () => {
        client.destroy();
        await database.stop();
      },
    };
  });
}

export async function createThings({ client }: RunningStore): Promise<void> {
  await client.send(new CreateTableCommand(TABLE));
}

function clientOf(port: number): DynamoDBClient {
  return new DynamoDBClient({
    endpoint: `http://${HOST}:${String(port)}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
}
