import { expect, test } from 'vitest';
import {
  type FuzzRun,
  operationsOf,
  shortcomingsOf,
  summaryOf,
} from '../../../local/api-fuzz/verdict.ts';

const GOOD: FuzzRun = {
  operations: ['GET /thing', 'POST /thing'],
  answers: { 'GET /thing': { 200: 1500, 404: 2 }, 'POST /thing': { 201: 1, 202: 3, 400: 1494 } },
  seconds: 60.4,
  exitCode: 0,
};

test('a run of enough cases in which every operation succeeded has no shortcomings', () => {
  expect(shortcomingsOf(GOOD)).toEqual([]);
});

test.each<[string, Partial<FuzzRun>, string]>([
  ['that took too long', { seconds: 360.1 }, 'took more than 360 s'],
  ['in which a check failed', { exitCode: 1 }, 'schemathesis failed: see its report'],
  [
    'that was ended',
    { exitCode: null, answers: {}, seconds: 360.2 },
    'schemathesis was ended after 360 s',
  ],
  [
    'of too few cases',
    { answers: { ...GOOD.answers, 'GET /thing': { 200: 1499, 404: 2 } } },
    'only 2999 of 3000 cases',
  ],
  [
    'in which an operation was never successful',
    { answers: { ...GOOD.answers, 'GET /thing': { 304: 1500, 404: 2 } } },
    'GET /thing never answered 2xx',
  ],
  [
    'that left an operation out',
    { operations: [...GOOD.operations, 'PUT /thing'] },
    'PUT /thing never answered 2xx',
  ],
])('a run %s fails', (_name, change, reason) => {
  expect(shortcomingsOf({ ...GOOD, ...change })).toEqual([reason]);
});

test('the summary lists every operation and the numbers of the run', () => {
  expect(summaryOf(GOOD)).toBe(
    [
      'GET /thing: 200 ×1500, 404 ×2',
      'POST /thing: 201 ×1, 202 ×3, 400 ×1494',
      '2 operations, 3000 cases, at least 4 answers of 2xx each, 60 s',
    ].join('\n'),
  );
});

test('an operation is a method of a path, and nothing else that the path says', () => {
  const document = {
    paths: { '/thing': { parameters: [], get: {}, post: {} }, '/thing/{id}': { patch: {} } },
  };
  expect(operationsOf(document)).toEqual(['GET /thing', 'POST /thing', 'PATCH /thing/{id}']);
});
