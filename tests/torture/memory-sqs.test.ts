import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, test } from 'vitest';
import { inMemoryRequestHandler } from '../../torture/world/aws/request-handler.ts';
import { type Delivery, MemorySqs } from '../../torture/world/memory-sqs.ts';
import { VirtualClock } from '../../torture/world/virtual-clock.ts';

const region = 'eu-central-1';

let clock: VirtualClock;
let sqs: MemorySqs;
let client: SQSClient;
let delivery: Delivery;
const url = { work: '', dead: '' };

beforeEach(async () => {
  clock = new VirtualClock();
  delivery = () => [0];
  let ids = 0;
  sqs = new MemorySqs({
    clock,
    endpoint: 'http://sqs.world',
    newId: () => String((ids += 1)),
    delivery: (message) => delivery(message),
  });
  const redrive = {
    deadLetterTargetArn: `arn:aws:sqs:${region}:000000000000:dead`,
    maxReceiveCount: 2,
  };
  sqs.createQueue('work', {
    region,
    attributes: { VisibilityTimeout: '60', RedrivePolicy: JSON.stringify(redrive) },
  });
  sqs.createQueue('dead', { region, attributes: {} });
  client = new SQSClient({
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    endpoint: 'http://sqs.world',
    maxAttempts: 1,
    requestHandler: inMemoryRequestHandler({
      services: { AmazonSQS: sqs.operations },
      detached: (work) => work(),
      onDefect: () => undefined,
    }),
  });
  for (const QueueName of ['work', 'dead'] as const) {
    const found = await client.send(new GetQueueUrlCommand({ QueueName }));
    url[QueueName] = found.QueueUrl ?? '';
  }
});

async function send(MessageBody: string): Promise<void> {
  await client.send(new SendMessageCommand({ QueueUrl: url.work, MessageBody }));
}

async function receive(QueueUrl = url.work) {
  const request = {
    QueueUrl,
    MaxNumberOfMessages: 10,
    MessageSystemAttributeNames: ['All' as const],
  };
  const { Messages = [] } = await client.send(new ReceiveMessageCommand(request));
  return Messages;
}

/** Received bodies, each with its receive count. */
async function received(QueueUrl = url.work): Promise<string[]> {
  return (await receive(QueueUrl)).map(
    ({ Body, Attributes }) => `${String(Body)} ${String(Attributes?.ApproximateReceiveCount)}`,
  );
}

function pass(seconds: number): void {
  clock.moveTo(clock.now() + seconds * 1000);
}

describe('a message', () => {
  test('is hidden while it is in flight, and comes back when it was not deleted', async () => {
    await send('a');
    expect(await received()).toEqual(['a 1']);
    pass(59.999);
    expect(await received()).toEqual([]);
    pass(0.001);
    expect(await received()).toEqual(['a 2']);
  });

  test('goes to the dead-letter queue instead of being received once too often', async () => {
    await send('a');
    for (let receives = 0; receives < 2; receives += 1) {
      await receive();
      pass(60);
    }
    expect(await received()).toEqual([]);
    expect(await received(url.dead)).toEqual(['a 1']);
  });

  test('is gone when it was deleted, but not by the handle of an earlier delivery', async () => {
    await send('a');
    const [first] = await receive();
    pass(60);
    const [second] = await receive();
    const remove = (ReceiptHandle: string | undefined) =>
      client.send(new DeleteMessageCommand({ QueueUrl: url.work, ReceiptHandle }));
    await remove(first?.ReceiptHandle);
    expect(sqs.queue('work').messages).toHaveLength(1);
    await remove(second?.ReceiptHandle);
    expect(sqs.queue('work').messages).toEqual([]);
  });

  test('is visible again when its delivery says so', async () => {
    await send('a');
    const [{ ReceiptHandle } = {}] = await receive();
    const hide = (VisibilityTimeout: number) =>
      client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: url.work,
          ReceiptHandle,
          VisibilityTimeout,
        }),
      );
    await hide(5);
    pass(4);
    expect(await received()).toEqual([]);
    pass(1);
    await expect(hide(5)).rejects.toThrow('not in flight');
    expect(await received()).toEqual(['a 2']);
  });

  test('may come twice and after later ones', async () => {
    delivery = ({ body }) => (body === 'a' ? [10_000, 20_000] : [0]);
    await send('a');
    await send('b');
    expect(await received()).toEqual(['b 1']);
    pass(10);
    const [first] = await receive();
    pass(10);
    const [second] = await receive();
    expect([first?.Body, second?.Body]).toEqual(['a', 'a']);
    expect(second?.MessageId).toBe(first?.MessageId);
  });

  test('tells whoever asked that it is visible, when it is', async () => {
    const told: number[] = [];
    sqs.queue('work').onVisible(() => told.push(clock.now()));
    const sentAtMs = clock.now();
    await send('a');
    await receive();
    clock.fireNext();
    expect(told).toEqual([sentAtMs, sentAtMs + 60_000]);
  });
});

describe('a queue', () => {
  test('counts what is visible, delayed and in flight', async () => {
    delivery = ({ body }) => [body === 'late' ? 1000 : 0];
    await send('a');
    await receive();
    await send('b');
    await send('c');
    await send('late');
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: url.work, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '2',
      ApproximateNumberOfMessagesNotVisible: '1',
      ApproximateNumberOfMessagesDelayed: '1',
    });
  });

  test('takes batches, and says of each message what became of it', async () => {
    await send('a');
    await send('b');
    const [a, b] = await receive();
    const visible = await client.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: url.work,
        Entries: [
          { Id: '0', ReceiptHandle: a?.ReceiptHandle, VisibilityTimeout: 0 },
          { Id: '1', ReceiptHandle: 'nonsense', VisibilityTimeout: 0 },
        ],
      }),
    );
    expect(visible.Successful?.map(({ Id }) => Id)).toEqual(['0']);
    expect(visible.Failed?.map(({ Id }) => Id)).toEqual(['1']);
    await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: url.work,
        Entries: [{ Id: '0', ReceiptHandle: b?.ReceiptHandle }],
      }),
    );
    expect(await received()).toEqual(['a 2']);
  });

  test('is refused where it does not exist', async () => {
    await expect(received('http://sqs.world/000000000000/none')).rejects.toThrow('does not exist');
  });
});
