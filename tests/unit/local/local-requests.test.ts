import { AsyncLocalStorage } from 'node:async_hooks';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { expect, test, vi } from 'vitest';
import { type JsonServer, startJsonServer } from '../../../local/aws/json-server.ts';
import { LocalRequests } from '../../../local/aws/local-requests.ts';
import { DUMMY_CREDENTIALS } from '../../../local/stack/handler-environment.ts';

const invocation = new AsyncLocalStorage<string>();

/** A server that answers with what it was asked, and refuses every put. */
async function startServer(): Promise<{ server: JsonServer; seen: (string | undefined)[] }> {
  const seen: (string | undefined)[] = [];
  const server = await startJsonServer({
    host: '127.0.0.1',
    port: 0,
    longestBody: 1000,
    perform: (target, request) => {
      seen.push(invocation.getStore());
      if (target.endsWith('PutItem')) throw new Error('Full.');
      return { Item: (request as { Key: object }).Key };
    },
    refuse: (error) => ({
      status: 400,
      body: { __type: 'ResourceNotFoundException', message: String(error) },
    }),
  });
  return { server, seen };
}

function clientOf(port: number, servers: readonly JsonServer[]) {
  return new DynamoDBClient({
    endpoint: `http://127.0.0.1:${String(port)}`,
    region: 'local',
    credentials: DUMMY_CREDENTIALS,
    maxAttempts: 1,
    requestHandler: new LocalRequests(servers),
  });
}

const GET = { TableName: 't', Key: { pk: { S: 'ä' } } };

test('a server of this process answers without a connection, outside the async context of the caller', async () => {
  const { server, seen } = await startServer();
  const client = clientOf(server.port, [server]);
  const network = vi.spyOn(NodeHttpHandler.prototype, 'handle');
  const got = await invocation.run('inv-1', () => client.send(new GetItemCommand(GET)));
  expect(got.Item).toEqual({ pk: { S: 'ä' } });
  expect(seen).toEqual([undefined]);
  expect(network).not.toHaveBeenCalled();
  const put = client.send(new PutItemCommand({ TableName: 't', Item: GET.Key }));
  await expect(put).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  network.mockRestore();
  client.destroy();
  await server.stop();
});

test('any other server is asked over the network', async () => {
  const { server } = await startServer();
  const client = clientOf(server.port, []);
  const got = await client.send(new GetItemCommand(GET));
  expect(got.Item).toEqual({ pk: { S: 'ä' } });
  client.destroy();
  await server.stop();
});
