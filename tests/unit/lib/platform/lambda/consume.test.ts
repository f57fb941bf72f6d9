import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../../../../lib/platform/config.ts';
import { InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { type Consumer, consume } from '../../../../../lib/platform/lambda/consume.ts';
import type { Runtime } from '../../../../../lib/platform/lambda/runtime.ts';
import { REQUIRED } from '../environment.ts';

/** 2026-03-01T12:00:00Z. */
const NOW_MS = 1_772_366_400_000;
const QUEUE = 'http://queue/source';
const DEAD = 'http://queue/dead';

const config = readConfig(REQUIRED);
const schema = z.object({ orderId: z.string(), wanted: z.boolean() });
type Message = z.infer<typeof schema>;

const MESSAGE = { orderId: 'ord_1', wanted: true };
const BODY = JSON.stringify(MESSAGE);

interface Command {
  readonly QueueUrl: string;
  readonly VisibilityTimeout?: number;
  readonly MessageBody?: string;
}

let commands: Command[];
/** The queue that does not answer. */
let silent: string | undefined;
let handled: unknown[];
let failure: unknown;

beforeEach(() => {
  commands = [];
  silent = undefined;
  handled = [];
  failure = undefined;
});

const consumer: Consumer<Message> = {
  step: 'do-it',
  queueUrl: QUEUE,
  deadLetterQueueUrl: DEAD,
  schema,
  contextOf: ({ orderId }) => ({ orderId }),
  handle: (message) => {
    handled.push(message);
    // A consumer may reject with something other than an Error.
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  },
  subjectOf: ({ orderId }) => Promise.resolve({ orderId, run: 3, correlationId: 'corr-1' }),
};

function receive(body: string, receiveCount: number, maxReceives = 8): Promise<void> {
  const send = ({ input }: { input: Command }) => {
    if (input.QueueUrl === silent) return Promise.reject(new Error('No answer.'));
    commands.push(input);
    return Promise.resolve({});
  };
  const runtime = {
    config: { ...config, QUEUE_MAX_RECEIVES: maxReceives },
    clock: { now: () => NOW_MS },
    aws: { clients: { queues: { send } } },
  } as unknown as Runtime;
  return consume(runtime, consumer, { body, receiptHandle: 'handle', receiveCount });
}

function letters(): unknown[] {
  return commands
    .filter(({ QueueUrl }) => QueueUrl === DEAD)
    .map(({ MessageBody }) => JSON.parse(MessageBody ?? '') as unknown);
}

describe('a message', () => {
  test('that is handled is done with', async () => {
    await receive(BODY, 1);
    expect(handled).toEqual([MESSAGE]);
    expect(commands).toEqual([]);
  });

  test.each([
    [1, 5],
    [2, 10],
    [7, 320],
  ])('that fails at try %i comes back after %i s', async (receiveCount, delaySeconds) => {
    failure = new InfrastructureUnavailable('No database.');
    await expect(receive(BODY, receiveCount)).rejects.toBe(failure);
    expect(commands).toEqual([
      { QueueUrl: QUEUE, ReceiptHandle: 'handle', VisibilityTimeout: delaySeconds },
    ]);
  });

  test.each([
    [8, 640],
    [20, 900],
  ])('that fails at try %i of more is not left longer than %i s', async (receiveCount, delay) => {
    failure = new InfrastructureUnavailable('No database.');
    await expect(receive(BODY, receiveCount, 30)).rejects.toBe(failure);
    expect(commands).toMatchObject([{ VisibilityTimeout: delay }]);
  });

  test.each([8, 9])('that fails at the last try, %i, is done with and a dead letter', async (n) => {
    failure = new InfrastructureUnavailable('No database.');
    await receive(BODY, n);
    expect(letters()).toEqual([
      {
        orderId: 'ord_1',
        run: 3,
        correlationId: 'corr-1',
        step: 'do-it',
        error: 'InfrastructureUnavailable',
        at: '2026-03-01T12:00:00.000Z',
        body: BODY,
      },
    ]);
    expect(commands).toHaveLength(1);
  });

  test('that fails at the last try with what is no error is a dead letter all the same', async () => {
    failure = 'so there';
    await receive(BODY, 8);
    expect(letters()).toMatchObject([{ error: 'string' }]);
  });

  test('whose dead letter is not taken is left to the queue, which moves it itself', async () => {
    failure = new InfrastructureUnavailable('No database.');
    silent = DEAD;
    await expect(receive(BODY, 8)).rejects.toBeInstanceOf(InfrastructureUnavailable);
    expect(commands).toEqual([]);
  });
});

describe('a body that is no message', () => {
  test.each<[string, string, object]>([
    ['no JSON', '{"orderId":', {}],
    ['nothing', '', {}],
    ['no object', '[1]', {}],
    ['another message', '{"orderId":"ord_1","run":2,"wanted":1}', { orderId: 'ord_1', run: 2 }],
    ['of other types', '{"orderId":7,"run":"2","correlationId":"c"}', { correlationId: 'c' }],
  ])('but %s ends at once as a dead letter with what it says', async (_what, body, subject) => {
    await receive(body, 1);
    expect(handled).toEqual([]);
    expect(letters()).toEqual([
      {
        ...subject,
        step: 'do-it',
        error: 'InvalidMessage',
        at: '2026-03-01T12:00:00.000Z',
        body,
      },
    ]);
  });

  test('stays in the queue where its dead letter is not taken', async () => {
    silent = DEAD;
    await expect(receive('{', 1)).rejects.toBeInstanceOf(InfrastructureUnavailable);
  });
});
