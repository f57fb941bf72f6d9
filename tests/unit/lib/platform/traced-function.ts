import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import { createAwsClients } from '../../../../lib/platform/aws-clients.ts';
import { passThrough } from '../../../../lib/platform/effects.ts';
import { createHttpClient } from '../../../../lib/platform/http-client.ts';
import { pipeline } from '../../../../lib/platform/pipeline.ts';

/** A function as Lambda would run it, once: it reads an item, then calls another service, in vain. */
const [serviceUrl = ''] = process.argv.slice(2);
const http = createHttpClient(passThrough);
const { documents } = createAwsClients(passThrough);

const handler = pipeline<unknown, unknown>().handler(async () => {
  await documents.send(new GetCommand({ TableName: 'orders', Key: { pk: 'ORDER#1' } }));
  const url = `${serviceUrl}/inventory/reservation/ord-1`;
  const { status } = await http({ method: 'PUT', url, body: {}, timeoutMs: 5000 });
  return status;
});

const result = await handler({}, {} as Context);
process.stdout.write(JSON.stringify({ result }));
