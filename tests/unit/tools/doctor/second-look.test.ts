import { describe, expect, test } from 'vitest';
import type { Disagreement } from '../../../../tools/doctor/disagreement.ts';
import type { Remedy } from '../../../../tools/doctor/remedies.ts';
import {
  type Look,
  lookAgain,
  type SecondLook,
  type Verdict,
} from '../../../../tools/doctor/second-look.ts';

function wrong(check: string, found = 'something', remedy?: Remedy): Disagreement {
  const finding: Disagreement = {
    check,
    promise: 'P5',
    orderId: 'ord_1',
    found,
    expected: 'something else',
    mend: 'somehow',
  };
  return remedy === undefined ? finding : { ...finding, remedy };
}

const REMEDY: Remedy = { kind: 'DISPATCH_ORDER', orderId: 'ord_1' };

function look(...findings: readonly Disagreement[]): Look<string> {
  return { subject: 'ord_1', findings, hasMoved: false };
}

const MOVED: Look<string> = { subject: 'ord_1', findings: [], hasMoved: true };

/** Results of successive looks; the last one repeats. */
function seeing(...looks: readonly Look<string>[]) {
  const told: string[] = [];
  const mended: Remedy[] = [];
  let pauses = 0;
  let next = 0;
  const second: SecondLook<string> = {
    lookAt: (subjects) =>
      Promise.resolve(subjects.map(() => looks[Math.min(next++, looks.length - 1)]!)),
    pause: () => {
      pauses += 1;
      return Promise.resolve();
    },
    mend: undefined,
    tell: (verdict) => told.push(inShort(verdict)),
  };
  const mend = (remedy: Remedy) => {
    mended.push(remedy);
    return Promise.resolve();
  };
  return { second, mend, told, mended, pausesTaken: () => pauses };
}

function inShort(verdict: Verdict): string {
  const because = verdict.outcome === 'NOT_MENDED' ? ` (${verdict.because})` : '';
  return `${verdict.disagreement.check} ${verdict.outcome}${because}`;
}

describe('a suspicion', () => {
  test('that is still there after the grace period is told', async () => {
    const { second, told, pausesTaken } = seeing(look(wrong('overdue')));
    expect(await lookAgain([look(wrong('overdue'))], second)).toEqual([]);
    expect(told).toEqual(['overdue FOUND']);
    expect(pausesTaken()).toBe(1);
  });

  test('that is gone by then is not told', async () => {
    const { second, told } = seeing(look());
    expect(await lookAgain([look(wrong('overdue'))], second)).toEqual([]);
    expect(told).toEqual([]);
  });

  test('whose evidence has changed is looked at once more', async () => {
    const { second, told, pausesTaken } = seeing(
      look(wrong('overdue', 'since noon')),
      look(wrong('overdue', 'since noon')),
    );
    await lookAgain([look(wrong('overdue', 'since ten'))], second);
    expect(told).toEqual(['overdue FOUND']);
    expect(pausesTaken()).toBe(2);
  });

  test('that came up only now is looked at once more', async () => {
    const { second, told } = seeing(look(wrong('history')), look());
    await lookAgain([look(wrong('overdue'))], second);
    expect(told).toEqual([]);
  });

  test('of what moved is nothing until it was read twice in peace', async () => {
    const { second, told } = seeing(look(wrong('overdue')), look(wrong('overdue')));
    await lookAgain([MOVED], second);
    expect(told).toEqual(['overdue FOUND']);
  });

  test('of what never stops moving stays one', async () => {
    const { second, told, pausesTaken } = seeing(MOVED);
    expect(await lookAgain([MOVED], second)).toEqual(['ord_1']);
    expect(told).toEqual([]);
    expect(pausesTaken()).toBe(4);
  });

  test('that changes with every look stays one', async () => {
    let since = 0;
    const { second, told } = seeing();
    const lookAt = () => Promise.resolve([look(wrong('overdue', String((since += 1))))]);
    expect(await lookAgain([look(wrong('overdue', '0'))], { ...second, lookAt })).toEqual([
      'ord_1',
    ]);
    expect(told).toEqual([]);
  });

  test('needs no pause where there is none', async () => {
    const { second, pausesTaken } = seeing();
    expect(await lookAgain([], second)).toEqual([]);
    expect(pausesTaken()).toBe(0);
  });
});

describe('mending', () => {
  const OVERDUE = wrong('overdue', 'something', REMEDY);

  test('is only done where it is wanted', async () => {
    const { second, told, mended } = seeing(look(OVERDUE));
    await lookAgain([look(OVERDUE)], second);
    expect(told).toEqual(['overdue FOUND']);
    expect(mended).toEqual([]);
  });

  test('counts where another look shows that it helped', async () => {
    const { second, mend, told, mended } = seeing(look(OVERDUE), look());
    expect(await lookAgain([look(OVERDUE)], { ...second, mend })).toEqual([]);
    expect(told).toEqual(['overdue MENDED']);
    expect(mended).toEqual([REMEDY]);
  });

  test('does not count where it did not help', async () => {
    const { second, mend, told } = seeing(look(OVERDUE));
    await lookAgain([look(OVERDUE)], { ...second, mend });
    expect(told).toEqual(['overdue NOT_MENDED (it is still there)']);
  });

  test('that fails says why, and is not in the way of others', async () => {
    const { second, told } = seeing(look(OVERDUE, wrong('history')));
    await lookAgain([look(OVERDUE, wrong('history'))], {
      ...second,
      mend: () => Promise.reject(new TypeError('fetch failed')),
    });
    expect(told).toEqual(['overdue NOT_MENDED (TypeError: fetch failed)', 'history FOUND']);
  });

  test('of one thing uses what the look after the last remedy has shown', async () => {
    const later: Remedy = { kind: 'EXPIRE_HOLD', orderId: 'ord_1' };
    const { second, mend, told, mended } = seeing(
      look(OVERDUE, wrong('hold', 'something', REMEDY)),
      look(wrong('hold', 'something', later)),
      look(),
    );
    const before = look(OVERDUE, wrong('hold', 'something', REMEDY));
    await lookAgain([before], { ...second, mend });
    expect(told).toEqual(['overdue MENDED', 'hold MENDED']);
    expect(mended).toEqual([REMEDY, later]);
  });

  test('that mends two things at once is done once', async () => {
    const both = look(OVERDUE, wrong('hold', 'something', REMEDY));
    const { second, mend, told, mended } = seeing(both, look());
    await lookAgain([both], { ...second, mend });
    expect(told).toEqual(['overdue MENDED', 'hold MENDED']);
    expect(mended).toEqual([REMEDY]);
  });

  test('waits for what it has set in motion', async () => {
    const { second, mend, told } = seeing(look(OVERDUE), MOVED, MOVED, look());
    await lookAgain([look(OVERDUE)], { ...second, mend });
    expect(told).toEqual(['overdue MENDED']);
  });

  test('that sets off lasting motion tells the rest after the next pause', async () => {
    const both = look(OVERDUE, wrong('history'));
    const { second, mend, told } = seeing(both, MOVED, MOVED, MOVED, look(wrong('history')));
    await lookAgain([both], { ...second, mend });
    expect(told).toEqual(['overdue MENDED', 'history FOUND']);
  });

  test('that brings something else to light has that looked at once more', async () => {
    const { second, mend, told } = seeing(
      look(OVERDUE),
      look(wrong('history')),
      look(wrong('history')),
    );
    await lookAgain([look(OVERDUE)], { ...second, mend });
    expect(told).toEqual(['overdue MENDED', 'history FOUND']);
  });
});

test('several subjects are told apart', async () => {
  const suspects = ['a', 'b', 'c'].map((subject) => ({
    subject,
    findings: [{ ...wrong('overdue'), orderId: subject }],
    hasMoved: false,
  }));
  const { second } = seeing();
  const told: (string | undefined)[] = [];
  await lookAgain(suspects, {
    ...second,
    lookAt: (subjects) =>
      Promise.resolve(
        suspects
          .filter(({ subject }) => subjects.includes(subject))
          .map((one) => (one.subject === 'b' ? { ...one, findings: [] } : one)),
      ),
    tell: ({ disagreement }) => told.push(disagreement.orderId),
  });
  expect(told).toEqual(['a', 'c']);
});
