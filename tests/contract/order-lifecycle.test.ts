import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RunSuperseded } from '../../lib/orders/saga/signals.ts';
import { ORDER_SAGA } from '../../statemachines/order-saga.ts';
import { STEPS } from '../../torture/always.ts';
import { ORDER_MOVES } from '../../torture/legal-moves.ts';

const ORDERS = join(import.meta.dirname, '../../lib/orders');

/** One entry of the list atop lib/orders/order.ts: moves, and the functions that make them. */
interface Listed {
  readonly from: readonly string[];
  readonly to: string;
  readonly makers: readonly { readonly name: string; readonly file: string }[];
}

/** Reads the list's entries: `FROM, FROM -> TO  function  file.ts …`. */
function listedMoves(): Listed[] {
  const text = readFileSync(join(ORDERS, 'order.ts'), 'utf8');
  const list = /\* Every legal move[^\n]*\n \*\n(.*?)\n \*\n/s.exec(text)?.[1] ?? '';
  const words = list.replaceAll(/^ \*/gm, '').replaceAll(/\s+/g, ' ');
  const from = String.raw`(?:\(new\)|[A-Z_]{4,})(?:, [A-Z_]{4,})*`;
  const entry = new RegExp(`(${from}) -> ([A-Z_]+) (.*?)(?= ${from} ->|$)`, 'g');
  return [...words.matchAll(entry)].map(([, before = '', to = '', makers = '']) => ({
    from: before.replace('(new)', 'NEW').split(', '),
    to,
    makers: [...makers.matchAll(/(\w+) ([\w/-]+\.ts)/g)].map(([, name = '', file = '']) => ({
      name,
      file,
    })),
  }));
}

describe('the list of moves atop order.ts', () => {
  const listed = listedMoves();

  test('has every legal move, and no other', () => {
    const moves = listed.flatMap(({ from, to }) => from.map((one) => `${one} -> ${to}`));
    expect(moves.toSorted()).toEqual(
      ORDER_MOVES.map(([from, to]) => `${from} -> ${to}`).toSorted(),
    );
  });

  test.each(listed)('names the function that makes $from into $to, in its file', ({ makers }) => {
    expect(makers).not.toEqual([]);
    for (const { name, file } of makers) {
      expect(globSync('**/*.ts', { cwd: ORDERS })).toContain(file);
      expect(readFileSync(join(ORDERS, file), 'utf8')).toMatch(
        new RegExp(`^(?:export )?(?:async )?function ${name}\\(`, 'm'),
      );
    }
  });
});

test('torture watches exactly the steps that a newer run supersedes', () => {
  const superseded = Object.values(ORDER_SAGA.states).flatMap((state) =>
    state.type === 'Task' &&
    state.catch.some(({ on }) => on.some((error) => error === RunSuperseded))
      ? [state.invokes]
      : [],
  );
  expect(STEPS.toSorted()).toEqual(superseded.toSorted());
});
