import { PurgeQueueCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, test } from 'vitest';
import { queueClient } from '../../lib/platform/aws/queue-client.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import {
  countIn,
  dlq,
  dlqJson,
  expectNothingHidden,
  type Listed,
  messagesAbout,
  putInto,
  spawnDlq,
  startDlq,
} from '../support/dlq.ts';
import { anyInventoryCall, heal, inject, refuseConnection } from '../support/faults.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import { asTimeGoesOn, eventually, messagesIn } from '../support/stack.ts';
import { runNode } from '../unit/companion/run-node.ts';

const scene = new Scene({ SCHEDULE_SECONDS: '3600' });

const DEAD_LETTER_QUEUES = [
  'SagaDeadLetterQueue',
  'CompensationDeadLetterQueue',
  'AcknowledgementDeadLetterQueue',
];

function letter(orderId: string, at: string): string {
  const facts = { orderId, run: 1, correlationId: 'shop-1', step: 'confirm-order' };
  return JSON.stringify({ ...facts, error: 'InventoryUnavailable', at });
}

/** A dead letter about an order that failed by exhaustion. */
async function exhaustedOrder(): Promise<string> {
  inject(scene.stack, { on: anyInventoryCall, act: refuseConnection });
  const placed = await scene.user.place([{ productId: scene.productId, quantity: 1 }], {
    headers: { 'x-correlation-id': 'shop-1' },
  });
  const { orderId } = placed.order;
  await asTimeGoesOn(scene.stack, () => {
    expect(messagesAbout(scene.stack, 'SagaDeadLetterQueue', orderId)).toHaveLength(1);
    return Promise.resolve();
  });
  heal(scene.stack);
  return orderId;
}

async function onlyLetter(): Promise<Listed> {
  const { letters } = await dlqJson<{ letters: Listed[] }>(scene.stack, 'list');
  expect(letters).toHaveLength(1);
  return letters[0] as Listed;
}

afterEach(async () => {
  await expectNothingHidden(scene.stack);
  const queues = queueClient(currentRuntime().aws);
  for (const queue of DEAD_LETTER_QUEUES) {
    await queues.send(new PurgeQueueCommand({ QueueUrl: scene.stack.queueUrls[queue] }));
  }
});

describe('in words, the tool', () => {
  test('says that there is nothing', async () => {
    for (const command of ['list', 'redrive']) {
      expect(await spawnDlq(scene.stack, command)).toEqual({
        exitCode: 0,
        stdout: 'No dead letters in stage local.\n',
        stderr: '',
      });
    }
  });

  test('lists, shows and redrives a letter', async () => {
    const orderId = await exhaustedOrder();
    const { id, since } = await onlyLetter();

    const listed = await dlq(scene.stack, 'list');
    expect(listed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(listed.stdout.split('\n')).toEqual([
      '1 dead letter in stage local, the oldest first.',
      '',
      `${id}  saga  ${since}`,
      expect.stringMatching(`^  order ${orderId}, run 1, reserve-stock: Inventory\\w+$`),
      '  redriving it would run the order again (run 2)',
      '',
    ]);

    const shown = await dlq(scene.stack, 'show', id);
    expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
    for (const part of [
      `letter       ${id}\n`,
      'queue        saga\n',
      `since        ${since}\n`,
      `order        ${orderId}\n`,
      'run          1\n',
      'step         reserve-stock\n',
      'correlation  shop-1\n',
      'redriving    would run the order again (run 2)\n',
      `The order ${orderId} is now ORDER_FAILED (INVENTORY_UNAVAILABLE), run 1, revision 1`,
      `CREATED  ORDER_PLACED, by user\n`,
      'ORDER_FAILED  INVENTORY_UNAVAILABLE, by ordersaga\n',
      '"step": "reserve-stock"',
    ]) {
      expect(shown.stdout).toContain(part);
    }

    const rehearsed = await dlq(scene.stack, 'redrive', '--dry-run');
    expect(rehearsed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(rehearsed.stdout).toContain('  would run the order again (run 2)\n');
    await scene.user.expectStatus(orderId, 'ORDER_FAILED');

    const redriven = await dlq(scene.stack, 'redrive');
    expect(redriven).toMatchObject({ exitCode: 0, stderr: '' });
    expect(redriven.stdout).toContain('  done: run the order again (run 2)\n');
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
    expect(messagesIn(scene.stack, 'SagaDeadLetterQueue')).toEqual([]);
    await scene.user.cancel(orderId);
  });

  test('never lets a message steer the terminal', async () => {
    await putInto(scene.stack, 'SagaDeadLetterQueue', '{"orderId":"\\u001b[2Jord_1"}');
    const { id } = await onlyLetter();
    for (const args of [['list'], ['show', id]]) {
      const { stdout } = await dlq(scene.stack, ...args);
      expect(stdout).toContain('[2Jord_1');
      expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
    }
  });
});

describe('for programs, the tool', () => {
  test('shows everything but secrets', async () => {
    const orderId = await exhaustedOrder();
    const { id } = await onlyLetter();
    expect(await dlqJson(scene.stack, 'show', id)).toEqual({
      id,
      queue: 'saga',
      since: expect.any(String),
      orderId,
      run: 1,
      step: 'reserve-stock',
      error: expect.stringMatching(/^Inventory/),
      correlationId: 'shop-1',
      redrive: { action: 'RUN_AGAIN', words: 'run the order again (run 2)' },
      message: expect.objectContaining({ orderId, run: 1, step: 'reserve-stock' }),
      order: {
        orderId,
        status: 'ORDER_FAILED',
        reason: 'INVENTORY_UNAVAILABLE',
        run: 1,
        revision: 1,
        dueAt: expect.toBeOneOf([expect.any(String), null]),
        owesStock: expect.any(Boolean),
        history: expect.arrayContaining([
          expect.objectContaining({ to: 'ORDER_FAILED', by: 'ordersaga' }),
        ]),
      },
      payment: null,
    });
  });

  test('reads more than one page, loses nothing, and says when there is more', async () => {
    const times = Array.from({ length: 25 }, (_none, index) =>
      new Date(1_772_366_400_000 + index * 1000).toISOString(),
    );
    await putInto(
      scene.stack,
      'SagaDeadLetterQueue',
      ...times.toReversed().map((at) => letter('ord_nobody', at)),
    );
    const all = await dlqJson<{ letters: Listed[]; hasMore: boolean }>(scene.stack, 'list');
    expect(all.letters.map(({ since }) => since)).toEqual(times);
    expect(all.hasMore).toBe(false);

    const some = await dlqJson<{ letters: Listed[]; hasMore: boolean }>(
      scene.stack,
      'list',
      '--limit',
      '12',
    );
    expect(some.letters).toHaveLength(12);
    expect(some.hasMore).toBe(true);
    const words = await dlq(scene.stack, 'list', '--limit=12');
    expect(words.stdout).toContain('There are more letters than were read');

    await expectNothingHidden(scene.stack);
    expect(messagesIn(scene.stack, 'SagaDeadLetterQueue')).toHaveLength(25);
  });
});

describe('a letter that nothing can be done for', () => {
  const acknowledgement = {
    paymentId: 'pay_nobody',
    orderId: 'ord_nobody',
    eventId: 'evt_1',
    type: 'charge.updated',
    receivedAs: 'hook-1',
  };

  test('stays, is told, and does not count as done', async () => {
    await putInto(scene.stack, 'SagaDeadLetterQueue', letter('ord_nobody', '2026-03-01T12:00:00Z'));
    await putInto(scene.stack, 'CompensationDeadLetterQueue', 'hello');
    await putInto(scene.stack, 'AcknowledgementDeadLetterQueue', JSON.stringify(acknowledgement));

    const { exitCode, stdout } = await dlq(scene.stack, 'redrive');

    expect(exitCode).toBe(1);
    expect(stdout).toContain('not done: keep the letter: this stage has no such order');
    expect(stdout).toContain('not done: keep the letter: this is no message of this service');
    expect(stdout).toContain('not done: keep the letter: nobody knows this payment');
    await expectNothingHidden(scene.stack);
    expect(DEAD_LETTER_QUEUES.map((queue) => countIn(scene.stack, queue))).toEqual([1, 1, 1]);
    expect(messagesIn(scene.stack, 'AcknowledgementQueue')).toEqual([]);
  });

  test('is an acknowledgement of an unknown payment: named, it is sent again, and ends here again', async () => {
    await putInto(scene.stack, 'AcknowledgementDeadLetterQueue', JSON.stringify(acknowledgement));
    const { id } = await onlyLetter();
    const { stdout, exitCode } = await dlq(scene.stack, 'redrive', id);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('done: send the acknowledgement to its queue again');
    await asTimeGoesOn(
      scene.stack,
      async () => {
        await scene.stack.pollQueues();
        expect(messagesIn(scene.stack, 'AcknowledgementDeadLetterQueue')).toMatchObject([
          { orderId: 'ord_nobody', error: 'UnknownPayment', body: JSON.stringify(acknowledgement) },
        ]);
      },
      { stepSeconds: 60, limitSeconds: 3600 },
    );
  });

  test('is no message at all: it ends in its dead-letter queue at once', async () => {
    await putInto(scene.stack, 'CompensationQueue', '{"orderId":"ord_1","run":');
    await putInto(scene.stack, 'AcknowledgementQueue', '{"orderId":"ord_2"}');
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.pollQueues();
      const { letters } = await dlqJson<{ letters: Listed[] }>(scene.stack, 'list');
      expect(
        letters.map(({ queue, orderId, step, error }) => [queue, orderId, step, error]),
      ).toEqual(
        expect.arrayContaining([
          ['compensation', null, 'retry-compensation', 'InvalidMessage'],
          ['acknowledgement', 'ord_2', 'handle-acknowledgement', 'InvalidMessage'],
        ]),
      );
    });
    expect(scene.stack.logs().join('\n')).toContain('"error":"InvalidMessage"');
  });
});

describe('what goes wrong is told in words:', () => {
  test.each([
    [['show', 'no-such-letter'], 1, /There is no dead letter no-such-letter/],
    [['redrive', 'no-such-letter'], 1, /There is no dead letter no-such-letter/],
    [['remove'], 2, /There is no command remove: list, show ID or redrive/],
    [[], 2, /Say what to do/],
  ])('%j', async (args, exitCode, words) => {
    const finished = await dlq(scene.stack, ...args);
    expect(finished.exitCode).toBe(exitCode);
    expect(finished.stdout + finished.stderr).toMatch(words);
    expect(finished.stdout + finished.stderr).not.toMatch(/\n {4}at /);
  });

  test('no local stack', async () => {
    const finished = await runNode(['tools/dlq.ts', 'list'], {
      COMPANION_URL: 'http://127.0.0.1:9',
    });
    expect(finished.exitCode).toBe(1);
    expect(finished.stderr).toMatch(/No local stack answers.*\n.*--stage NAME/);
  });

  test('no such stage', async () => {
    const finished = await runNode(['tools/dlq.ts', 'list', '--stage', 'nowhere'], {
      AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:9',
    });
    expect(finished.exitCode).toBe(1);
    expect(finished.stderr).toContain('Stage nowhere cannot be asked for its configuration');
  });

  test('--help tells how', async () => {
    const finished = await dlq(scene.stack, '--help');
    expect(finished).toMatchObject({ exitCode: 0, stderr: '' });
    expect(finished.stdout).toContain('redrive [ID...]');
  });
});

test('interrupted, the tool puts back what it has read', async () => {
  const at = '2026-03-01T12:00:00.000Z';
  const bodies = Array.from({ length: 30 }, () => letter('ord_nobody', at));
  await putInto(scene.stack, 'SagaDeadLetterQueue', ...bodies);
  const { finished, interrupt } = startDlq(scene.stack, 'redrive');
  await eventually(() => {
    expect(countIn(scene.stack, 'SagaDeadLetterQueue', 'inflight')).toBe(30);
  });

  interrupt();

  expect(await finished).toEqual({
    exitCode: 130,
    stderr: 'Interrupted: the other letters are as they were.\n',
  });
  expect(countIn(scene.stack, 'SagaDeadLetterQueue', 'ready')).toBe(30);
});

test('at the end every promise holds', async () => {
  await expectPromisesAtRest(scene.stack);
});
