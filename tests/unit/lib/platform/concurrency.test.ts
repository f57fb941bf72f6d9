import { expect, test } from 'vitest';
import { atMost } from '../../../../lib/platform/concurrency.ts';

/** Work that a test starts, watches and ends. */
function handWork() {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  return {
    begun,
    named: (name: string) => () => {
      begun.push(name);
      const end = Promise.withResolvers<string>();
      ends.set(name, end);
      return end.promise;
    },
    end: async (name: string) => {
      ends.get(name)?.resolve(name);
      await settled();
    },
    fail: async (name: string) => {
      ends.get(name)?.reject(new Error(name));
      await settled();
    },
  };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('so many run at the same time, and the others in their order as room is made', async () => {
  const work = handWork();
  const inTurn = atMost(2);
  const all = ['a', 'b', 'c', 'd'].map((name) => inTurn(work.named(name)));
  await settled();
  expect(work.begun).toEqual(['a', 'b']);
  await work.end('b');
  expect(work.begun).toEqual(['a', 'b', 'c']);
  await work.end('a');
  expect(work.begun).toEqual(['a', 'b', 'c', 'd']);
  await work.end('c');
  await work.end('d');
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
});

test('what fails makes room too, and fails nobody else', async () => {
  const work = handWork();
  const inTurn = atMost(1);
  const failing = expect(inTurn(work.named('failing'))).rejects.toThrow('failing');
  const next = inTurn(work.named('next'));
  await settled();
  await work.fail('failing');
  await failing;
  expect(work.begun).toEqual(['failing', 'next']);
  await work.end('next');
  expect(await next).toBe('next');
});

test('nobody gets in before the line, and there is room again when it is gone', async () => {
  const work = handWork();
  const inTurn = atMost(1);
  const first = inTurn(work.named('first')).then(() => inTurn(work.named('third')));
  const second = inTurn(work.named('second'));
  await settled();
  await work.end('first');
  expect(work.begun).toEqual(['first', 'second']);
  await work.end('second');
  expect(work.begun).toEqual(['first', 'second', 'third']);
  await work.end('third');
  expect(await Promise.all([first, second])).toEqual(['third', 'second']);

  const late = inTurn(work.named('late'));
  await settled();
  expect(work.begun.at(-1)).toBe('late');
  await work.end('late');
  await late;
});
