import {
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import { expect, test, vi } from 'vitest';
import { createAwsAccess, intercepted } from '../../../../../lib/platform/aws/aws-access.ts';
import { passThrough } from '../../../../../lib/platform/effects.ts';

const GET = new GetItemCommand({ TableName: 't', Key: { pk: { S: '1' } } });
const CREDENTIALS = { accessKeyId: 'first', secretAccessKey: 'secret' };

/** A client as a function has it; nothing answers but an empty object. */
function clientWith(options: DynamoDBClientConfig) {
  const authorizations: string[] = [];
  const requestHandler = {
    handle: ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => {
      authorizations.push(headers['authorization'] ?? '');
      return Promise.resolve({
        response: new HttpResponse({ statusCode: 200, body: Buffer.from('{}') }),
      });
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
  const client = new DynamoDBClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'local',
    credentials: CREDENTIALS,
    ...options,
    requestHandler,
  });
  intercepted(client, 'dynamodb', createAwsAccess(passThrough));
  return { client, authorizations };
}

test('a client makes one signer for all calls, and no lines for a log', async () => {
  let signers = 0;
  class CountedSigner extends SignatureV4 {
    constructor(options: ConstructorParameters<typeof SignatureV4>[0]) {
      super(options);
      signers += 1;
    }
  }
  const info = vi.fn();
  const silent = () => undefined;
  const logger = { trace: silent, debug: silent, info, warn: silent, error: silent };
  const { client, authorizations } = clientWith({ signerConstructor: CountedSigner, logger });
  await client.send(GET);
  await client.send(GET);
  expect(authorizations).toHaveLength(2);
  expect(signers).toBe(1);
  expect(info).not.toHaveBeenCalled();
});

test('a client signs each call with the credentials of that time', async () => {
  let accessKeyId = 'first';
  const credentials = () =>
    Promise.resolve({
      accessKeyId,
      secretAccessKey: 'secret',
      // In the past: the SDK asks for new ones at each call.
      expiration: new Date(0),
    });
  const { client, authorizations } = clientWith({ credentials });
  await client.send(GET);
  accessKeyId = 'second';
  await client.send(GET);
  expect(authorizations.map((text) => /Credential=(\w+)/.exec(text)?.[1])).toEqual([
    'first',
    'second',
  ]);
});

test('a client that could make no signer tries again with the next call', async () => {
  let isBroken = true;
  class BrokenSigner extends SignatureV4 {
    constructor(options: ConstructorParameters<typeof SignatureV4>[0]) {
      super(options);
      if (isBroken) throw new Error('No signer.');
    }
  }
  const { client, authorizations } = clientWith({ signerConstructor: BrokenSigner });
  await expect(client.send(GET)).rejects.toThrow('No signer.');
  isBroken = false;
  await client.send(GET);
  expect(authorizations).toHaveLength(1);
});
