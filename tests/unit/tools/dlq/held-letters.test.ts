import { describe, expect, test } from 'vitest';
import { HeldLetters, QueueProblem } from '../../../../tools/dlq/held-letters.ts';
import { FakeQueues } from './fake-queues.ts';

const NEVER = new AbortController().signal;

function letterAt(at: string): string {
  const facts = { orderId: 'ord_1', run: 1, correlationId: 'c', step: 's', error: 'E', at };
  return JSON.stringify(facts);
}

function manyLetters(count: number): string[] {
  return Array.from({ length: count }, (_none, index) =>
    letterAt(`2026-03-01T12:00:${String(index).padStart(2, '0')}.000Z`),
  );
}

describe('reading', () => {
  test('finds the letters of all three queues, the oldest first', async () => {
    const queues = new FakeQueues();
    queues.add('saga', letterAt('2026-03-01T13:00:00.000Z'), letterAt('2026-03-01T11:00:00.000Z'));
    queues.add('compensation', '{"orderId":"ord_1","run":1,"correlationId":"c"}');
    queues.add('acknowledgement', 'hello');
    const { letters, hasMore, hiddenCount } = await new HeldLetters(queues.runtime).read(10, NEVER);
    expect(letters.map(({ id, since }) => `${id} ${since}`)).toEqual([
      'saga-2 2026-03-01T11:00:00.000Z',
      // Bare messages have no time of their own, so SQS's sent time counts.
      'compensation-1 2026-03-01T12:00:00.000Z',
      'acknowledgement-1 2026-03-01T12:00:00.000Z',
      'saga-1 2026-03-01T13:00:00.000Z',
    ]);
    expect(letters.map(({ letter }) => letter.kind)).toEqual([
      'SAGA',
      'COMPENSATION',
      'UNREADABLE',
      'SAGA',
    ]);
    expect({ hasMore, hiddenCount }).toEqual({ hasMore: false, hiddenCount: 0 });
  });

  test.each([
    [34, 35, 34, false],
    [35, 35, 35, false],
    [36, 35, 35, true],
    [57, 35, 35, true],
  ])('of %i letters, at most %i: finds %i, and more: %s', async (count, limit, found, more) => {
    const queues = new FakeQueues();
    queues.add('saga', ...manyLetters(count));
    const { letters, hasMore } = await new HeldLetters(queues.runtime).read(limit, NEVER);
    expect(letters).toHaveLength(found);
    expect(hasMore).toBe(more);
  });

  test('says how many somebody else holds', async () => {
    const queues = new FakeQueues();
    queues.add('saga', ...manyLetters(3));
    await new HeldLetters(queues.runtime).read(10, NEVER);
    const { letters, hiddenCount } = await new HeldLetters(queues.runtime).read(10, NEVER);
    expect(letters).toEqual([]);
    expect(hiddenCount).toBe(3);
  });

  test('stops when it is told to', async () => {
    const queues = new FakeQueues();
    queues.add('saga', ...manyLetters(50));
    const stopping = new AbortController();
    let receives = 0;
    queues.interfere = (request) => {
      if (request === 'ReceiveMessage saga') receives += 1;
      if (receives === 2) stopping.abort();
    };
    const held = new HeldLetters(queues.runtime);
    expect((await held.read(100, stopping.signal)).letters).toHaveLength(20);
    await held.putBack();
    expect(queues.visible('saga')).toHaveLength(50);
  });

  test('that fails at one queue says which, and all that was read can be put back', async () => {
    const queues = new FakeQueues();
    queues.add('saga', ...manyLetters(25));
    queues.interfere = (request) => {
      if (request === 'ReceiveMessage acknowledgement') throw new Error('Access denied.');
    };
    const held = new HeldLetters(queues.runtime);
    const reading = held.read(100, NEVER);
    await expect(reading).rejects.toBeInstanceOf(QueueProblem);
    await expect(reading).rejects.toThrow(/acknowledgement.*Access denied.*\n.*sqs:ReceiveMessage/);
    await held.putBack();
    expect(queues.visible('saga')).toHaveLength(25);
  });
});

describe('what is held', () => {
  test('is hidden from others, and visible again when it is put back', async () => {
    const queues = new FakeQueues();
    queues.add('saga', ...manyLetters(23));
    queues.add('compensation', 'one', 'two');
    const held = new HeldLetters(queues.runtime);
    // Includes the messages read beyond the limit.
    await held.read(5, NEVER);
    expect(queues.visible('saga').length).toBeLessThan(23);
    await held.putBack();
    expect(queues.visible('saga')).toHaveLength(23);
    expect(queues.visible('compensation')).toHaveLength(2);
  });

  test('is put back without what was removed', async () => {
    const queues = new FakeQueues();
    queues.add('saga', ...manyLetters(3));
    const held = new HeldLetters(queues.runtime);
    const { letters } = await held.read(10, NEVER);
    for (const letter of letters.slice(0, 2)) await held.remove(letter);
    await held.putBack();
    expect(queues.visible('saga')).toEqual(['saga-3']);
  });

  test('is put back also where it could not be removed', async () => {
    const queues = new FakeQueues();
    queues.add('saga', ...manyLetters(1));
    const held = new HeldLetters(queues.runtime);
    const { letters } = await held.read(10, NEVER);
    queues.interfere = (request) => {
      if (request.startsWith('DeleteMessage')) throw new Error('No answer.');
    };
    for (const letter of letters) {
      await expect(held.remove(letter)).rejects.toThrow(/sqs:DeleteMessage/);
    }
    await held.putBack();
    expect(queues.visible('saga')).toEqual(['saga-1']);
  });
});
