import { expect, test } from 'vitest';
import { MalformedItem } from '../../../../lib/platform/dynamo/items.ts';
import { ImpossibleState, InfrastructureUnavailable } from '../../../../lib/platform/errors.ts';
import {
  type Desk,
  list,
  redriveLetters,
  show,
  UnknownLetter,
} from '../../../../tools/dlq/commands.ts';
import { HeldLetters } from '../../../../tools/dlq/held-letters.ts';
import { orderIn, World } from '../../lib/orders/fakes.ts';
import { FakeQueues } from './fake-queues.ts';

const OWES_STOCK = { releaseOwed: { revision: 3 } };

function letterOf(orderId: string, second: number): string {
  const facts = { orderId, run: 2, correlationId: 'corr-1', step: 'compensate', error: 'E' };
  return JSON.stringify({ ...facts, at: `2026-03-01T12:00:0${String(second)}.000Z` });
}

/** Two orders that failed by exhaustion and one that owes stock, with a dead letter each. */
function setUp() {
  const world = new World(orderIn('ORDER_FAILED', { reason: 'INVENTORY_UNAVAILABLE' }));
  world.put(
    orderIn('ORDER_CANCELLED', { orderId: 'ord_2', ...OWES_STOCK }),
    orderIn('ORDER_FAILED', { orderId: 'ord_3', reason: 'TEMPORARILY_UNAVAILABLE' }),
  );
  const queues = new FakeQueues();
  queues.add('saga', letterOf('ord_1', 1), letterOf('ord_2', 2), letterOf('ord_3', 3));
  const stopping = new AbortController();
  const desk = (): Desk => ({
    service: { service: world.service, acknowledgements: { add: () => Promise.resolve() } },
    held: new HeldLetters(queues.runtime),
    limit: 100,
    stopping: stopping.signal,
  });
  return { world, queues, desk, stopping };
}

const inShort = (letters: readonly { readonly id: string; readonly outcome: string }[]) =>
  letters.map(({ id, outcome }) => `${id} ${outcome}`);

test('listing, showing and rehearsing change nothing', async () => {
  const { world, queues, desk } = setUp();
  const tools = [desk(), desk(), desk()] as const;
  await list(tools[0]);
  await tools[0].held.putBack();
  await show(tools[1], 'saga-2');
  await tools[1].held.putBack();
  const { letters } = await redriveLetters(tools[2], [], true);
  await tools[2].held.putBack();
  expect(inShort(letters)).toEqual([
    'saga-1 WOULD_BE_DONE',
    'saga-2 WOULD_BE_DONE',
    'saga-3 WOULD_BE_DONE',
  ]);
  expect(world.effects).toEqual([]);
  expect(queues.visible('saga')).toEqual(['saga-1', 'saga-2', 'saga-3']);
});

test('each letter is removed after its effect', async () => {
  const { world, queues, desk } = setUp();
  queues.interfere = (request) => {
    if (request.startsWith('DeleteMessage')) world.calls.push('removed');
  };
  const { letters } = await redriveLetters(desk(), [], false);
  expect(inShort(letters)).toEqual(['saga-1 DONE', 'saga-2 DONE', 'saga-3 DONE']);
  expect(world.effects).toEqual([
    'save order CREATED',
    'saga.start ord_1-3',
    'removed',
    'request compensation ord_2',
    'removed',
    'save order CREATED',
    'saga.start ord_3-3',
    'removed',
  ]);
});

test('one whose order cannot be read is listed, shown and kept, and says what is wrong', async () => {
  const { world, queues, desk } = setUp();
  world.interfere = (call) => {
    if (call === 'find order ord_2') throw new MalformedItem({ pk: 'ORDER#ord_2' }, ['items']);
  };
  const tools = [desk(), desk(), desk()] as const;
  const { letters } = await list(tools[0]);
  await tools[0].held.putBack();
  expect(letters.map(({ redrive }) => redrive.action)).toEqual(['RUN_AGAIN', 'KEEP', 'RUN_AGAIN']);
  expect((await show(tools[1], 'saga-2')).redrive).toMatchObject({ action: 'KEEP' });
  await tools[1].held.putBack();
  const redriven = await redriveLetters(tools[2], [], false);
  expect(inShort(redriven.letters)).toEqual(['saga-1 DONE', 'saga-2 KEPT', 'saga-3 DONE']);
  await tools[2].held.putBack();
  expect(queues.visible('saga')).toEqual(['saga-2']);
});

test('one that meets a defect fails alone', async () => {
  const { world, desk } = setUp();
  world.interfere = (call) => {
    if (call === 'request compensation ord_2') throw new ImpossibleState('Unexpected value.');
  };
  const { letters } = await redriveLetters(desk(), [], false);
  expect(inShort(letters)).toEqual(['saga-1 DONE', 'saga-2 FAILED', 'saga-3 DONE']);
});

test('one that fails stays, and the others are redriven', async () => {
  const { world, queues, desk } = setUp();
  world.failAt('request compensation', new InfrastructureUnavailable('No queue.'));
  const tool = desk();
  const { letters } = await redriveLetters(tool, [], false);
  await tool.held.putBack();
  expect(inShort(letters)).toEqual(['saga-1 DONE', 'saga-2 FAILED', 'saga-3 DONE']);
  expect(letters[1]).toMatchObject({ problem: 'InfrastructureUnavailable: No queue.' });
  expect(queues.visible('saga')).toEqual(['saga-2']);
});

test('one that cannot be removed after its effect is redriven again without harm', async () => {
  const { world, queues, desk } = setUp();
  queues.interfere = (request) => {
    if (request.startsWith('DeleteMessage')) throw new Error('No answer.');
  };
  const first = desk();
  const failed = await redriveLetters(first, ['saga-1'], false);
  await first.held.putBack();
  expect(inShort(failed.letters)).toEqual(['saga-1 FAILED']);
  expect(world.order).toMatchObject({ status: 'CREATED', run: 3 });

  queues.interfere = () => undefined;
  const second = desk();
  const { letters } = await redriveLetters(second, ['saga-1'], false);
  await second.held.putBack();
  expect(letters).toMatchObject([{ outcome: 'DONE', redrive: { action: 'MOVE_ON' } }]);
  expect(world.order).toMatchObject({ status: 'CREATED', run: 3, version: 8 });
  expect(queues.visible('saga')).toEqual(['saga-2', 'saga-3']);
});

test('only those named are redriven, and what is not there is told', async () => {
  const { queues, desk } = setUp();
  const tool = desk();
  const { letters, unknown } = await redriveLetters(tool, ['saga-3', 'saga-9'], false);
  await tool.held.putBack();
  expect(inShort(letters)).toEqual(['saga-3 DONE']);
  expect(unknown).toEqual(['saga-9']);
  expect(queues.visible('saga')).toEqual(['saga-1', 'saga-2']);
});

test('stopped in between, the letters that are left stay as they are', async () => {
  const { queues, desk, stopping } = setUp();
  queues.interfere = (request) => {
    if (request.startsWith('DeleteMessage')) stopping.abort();
  };
  const tool = desk();
  const { letters } = await redriveLetters(tool, [], false);
  await tool.held.putBack();
  expect(inShort(letters)).toEqual(['saga-1 DONE']);
  expect(queues.visible('saga')).toEqual(['saga-2', 'saga-3']);
});

test('an unknown letter is told, with why it may not have been read', async () => {
  const { desk } = setUp();
  const shown = show({ ...desk(), limit: 1 }, 'saga-9');
  await expect(shown).rejects.toBeInstanceOf(UnknownLetter);
  await expect(shown).rejects.toThrow(/no dead letter saga-9.*\n.*--limit/);
});
