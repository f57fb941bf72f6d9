import { expect, test } from 'vitest';
import { readArguments, UsageProblem } from '../../../../tools/doctor/arguments.ts';

test('without arguments the local stack is examined, and nothing is mended', () => {
  expect(readArguments([])).toEqual({
    stage: 'local',
    fix: false,
    json: false,
    graceMs: 5000,
    pageSize: 100,
  });
});

test('every option is taken', () => {
  const args = ['--stage', 'prod', '--fix', '--json', '--grace', '0', '--page-size', '7'];
  expect(readArguments(args)).toEqual({
    stage: 'prod',
    fix: true,
    json: true,
    graceMs: 0,
    pageSize: 7,
  });
});

test('help is only help', () => {
  expect(readArguments(['--help', '--fix'])).toBeUndefined();
});

test.each([
  [['--fixx'], "Unknown option '--fixx'"],
  [['prod'], "Unexpected argument 'prod'"],
  [['--stage'], "Option '--stage <value>' argument missing"],
  [['--stage', ''], '--stage needs a name'],
  [['--grace', 'soon'], '--grace must be a whole number from 0 to 3600, not "soon"'],
  [['--grace', '1.5'], '--grace must be a whole number from 0 to 3600, not "1.5"'],
  [['--grace', ''], '--grace must be a whole number from 0 to 3600, not ""'],
  [['--page-size', '0'], '--page-size must be a whole number from 1 to 100, not "0"'],
  [['--page-size', '101'], '--page-size must be a whole number from 1 to 100, not "101"'],
])('%j is explained', (args, message) => {
  expect(() => readArguments(args)).toThrow(UsageProblem);
  expect(() => readArguments(args)).toThrow(message);
  expect(() => readArguments(args)).toThrow('Usage: npm run -s doctor');
});
