import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { QueuePoller } from '../../../local/stack/queue-poller.ts';

const QUEUE = 'compensation';
const ARN = 'arn:aws:sqs:eu-central-1:000000000000:compensation';

describe('QueuePoller', () => {
  let server: FauxqsServer;
  let client: SQSClient;
  let queueUrl = '';
  const received: SQSEvent[] = [];

  beforeAll(async () => {
    server = await startFauxqs({ port: 0, logger: false });
    client = new SQSClient({
      endpoint: `http://127.0.0.1:${server.port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  });
  beforeEach(() => {
    received.length = 0;
    server.deleteQueue(QUEUE, { region: 'eu-central-1' });
    ({ queueUrl } = server.createQueue(QUEUE, { region: 'eu-central-1' }));
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  function poller(answer: (event: SQSEvent) => unknown, reportsFailures = true) {
    return new QueuePoller({
      client,
      queueUrl,
      reportsFailures,
      region: 'eu-central-1',
      queueArn: ARN,
      batchSize: 10,
      invoke: async (event) => {
        received.push(event);
        return Promise.resolve(answer(event));
      },
      onError: (error) => {
        throw error;
      },
    });
  }

  async function send(...bodies: string[]): Promise<void> {
    for (const MessageBody of bodies) {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
    }
  }

  /** Bodies of the messages still in the queue, visible or not. */
  function left(): string[] {
    const { ready = [], inflight = [] } = server.inspectQueue(QUEUE)?.messages ?? {};
    return [...ready, ...inflight.map(({ message }) => message)].map(({ body }) => body);
  }

  it('hands over a batch as Lambda does and deletes it', async () => {
    await client.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: 'one',
        MessageAttributes: { kind: { DataType: 'String', StringValue: 'release' } },
      }),
    );

    expect(await poller(() => undefined).pollOnce()).toBe(1);

    expect(received[0]?.Records[0]).toMatchObject({
      messageId: expect.stringMatching(/^[\w-]+$/),
      receiptHandle: expect.stringMatching(/^[\w-]+$/),
      body: 'one',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: expect.stringMatching(/^\d+$/),
      },
      messageAttributes: { kind: { dataType: 'String', stringValue: 'release' } },
      eventSource: 'aws:sqs',
      eventSourceARN: ARN,
      awsRegion: 'eu-central-1',
    });
    expect(left()).toEqual([]);
  });

  it('takes nothing from an empty queue and invokes nobody', async () => {
    expect(await poller(() => undefined).pollOnce()).toBe(0);
    expect(received).toEqual([]);
  });

  it('keeps only the messages that the function names as failed', async () => {
    await send('good', 'bad', 'also good');
    await poller(({ Records }) => ({
      batchItemFailures: Records.filter(({ body }) => body === 'bad').map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    })).pollOnce();
    expect(left()).toEqual(['bad']);
  });

  it('keeps the whole batch when the function fails', async () => {
    await send('one', 'two');
    await poller(() => {
      throw new Error('Crashed');
    }).pollOnce();
    expect(left()).toEqual(['one', 'two']);
  });

  it('keeps the whole batch when the function names a message that is not in it', async () => {
    await send('one', 'two');
    await poller(() => ({ batchItemFailures: [{ itemIdentifier: '' }] })).pollOnce();
    expect(left()).toEqual(['one', 'two']);
  });

  it('takes any answer for success where the function does not report failures', async () => {
    await send('one');
    await poller(
      ({ Records }) => ({
        batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })),
      }),
      false,
    ).pollOnce();
    expect(left()).toEqual([]);
  });

  it('polls by itself until it is stopped', async () => {
    const handled = Promise.withResolvers<unknown>();
    const running = poller(handled.resolve);
    onTestFinished(() => running.stop());
    running.start();
    await send('one');
    await handled.promise;
    await running.stop();
    expect(left()).toEqual([]);
    await send('two');
    expect(left()).toEqual(['two']);
  });
});
