import { describe, expect, test } from 'vitest';
import { NotUnderstood, readArguments } from '../../../torture/arguments.ts';
import { MUTANTS } from '../../../torture/mutants.ts';
import { SCENARIOS } from '../../../torture/scenarios.ts';

const EVERY_SCENARIO = SCENARIOS.map(({ name }) => name);
const EVERY_MUTANT = MUTANTS.map(({ name }) => name);

const read = (...args: string[]) => readArguments(args, 2);

describe('the parts that are run', () => {
  test('are all of them where none is named', () => {
    expect(read()).toEqual({
      kind: 'torture',
      scenarios: EVERY_SCENARIO,
      pairs: 20,
      share: 0.25,
      histories: 2000,
      mutants: EVERY_MUTANT,
      seed: 1,
      processes: 2,
      isJson: false,
    });
  });

  test('are all of them with --seed, --pairs, --percent, --processes and --json', () => {
    expect(
      read('--seed', '7', '--pairs', '3', '--percent', '100', '--processes', '4', '--json'),
    ).toMatchObject({
      scenarios: EVERY_SCENARIO,
      pairs: 3,
      share: 1,
      histories: 2000,
      mutants: EVERY_MUTANT,
      seed: 7,
      processes: 4,
      isJson: true,
    });
  });

  test.each([
    [['--histories', '5'], [], 5, []],
    [['--mutants'], [], 0, EVERY_MUTANT],
    [['--mutant', 'write-ignores-status'], [], 0, ['write-ignores-status']],
    [['--scenario', 'paid'], EVERY_SCENARIO.filter((name) => name.includes('paid')), 0, []],
    [['--scenario', '', '--histories', '0'], EVERY_SCENARIO, 0, []],
    [['--scenario', '', '--histories', '9', '--mutants'], EVERY_SCENARIO, 9, EVERY_MUTANT],
  ])('are only those named by %j', (args, scenarios, histories, mutants) => {
    expect(read(...args)).toMatchObject({ scenarios, histories, mutants });
  });
});

describe('what was printed where something broke', () => {
  test('names one run of a scenario', () => {
    const args = [
      '--seed',
      '3',
      '--scenario',
      'paid',
      '--strikes',
      'dies after@17,rival cancels@4',
    ];
    expect(read(...args)).toEqual({
      kind: 'run again',
      seed: 3,
      scenario: 'paid',
      strikes: [
        { what: 'dies after', n: 17 },
        { what: 'rival cancels', n: 4 },
      ],
    });
  });

  test('names one without any strike', () => {
    expect(read('--scenario', 'paid', '--strikes', '')).toMatchObject({ strikes: [] });
  });

  test('names a history, and what is kept of it', () => {
    expect(read('--history', '1000017', '--keep', '3,7, 9')).toEqual({
      kind: 'live again',
      seed: 1_000_017,
      kept: [3, 7, 9],
    });
  });
});

test.each([
  [['--seed', 'one'], '--seed takes whole numbers, and not "one".'],
  [['--histories', '-1'], /histories/],
  [['--histories', '1.5'], '--histories takes whole numbers, and not "1.5".'],
  [['--processes', '0'], '--processes takes a number from 1.'],
  [['--keep', '3'], '--keep belongs to one --history.'],
  [['--strikes', 'dies after@1'], '--strikes needs the whole name of one --scenario.'],
  [['--scenario', 'pai', '--strikes', 'dies after@1'], /whole name of one --scenario/],
  [['--scenario', 'paid', '--strikes', 'sleeps@1'], /--strikes: "sleeps@1" is no strike/],
  [['--scenario', 'nonsense'], /No scenario has the words "nonsense"\. There are: paid, /],
  [['--mutant', 'nonsense'], /There is no mutant "nonsense"\. There are: write-ignores-status, /],
  [['--nonsense'], /Unknown option '--nonsense'/],
])('%j is not understood', (args, message) => {
  expect(() => read(...args)).toThrow(NotUnderstood);
  expect(() => read(...args)).toThrow(message);
});
