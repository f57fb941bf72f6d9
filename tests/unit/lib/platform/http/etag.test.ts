import { describe, expect, test } from 'vitest';
import { BadRequest } from '../../../../../lib/platform/errors.ts';
import { etagOf, isKnown, unlessKnown } from '../../../../../lib/platform/http/answer-headers.ts';
import { versionOf } from '../../../../../lib/platform/http/read-request.ts';

test('the entity tag of a resource is its version in quotes', () => {
  expect(etagOf({ version: 3 })).toBe('"3"');
  expect(versionOf(etagOf({ version: 3 }))).toBe(3);
});

describe('If-Match', () => {
  test.each([
    [undefined, undefined],
    ['*', undefined],
    [' * ', undefined],
    ['"3"', 3],
    [' "3" ', 3],
    ['"0"', 0],
  ])('%j asks for version %j', (ifMatch, version) => {
    expect(versionOf(ifMatch)).toBe(version);
  });

  test.each(['', '3', '"a"', '"-1"', '"1.5"', 'W/"3"', '"3", "4"', `"${'9'.repeat(16)}"`])(
    '%j is no ETag of ours: 400',
    (ifMatch) => {
      expect(() => versionOf(ifMatch)).toThrow(BadRequest);
    },
  );
});

test.each([
  ['"3"', true],
  ['W/"3"', true],
  ['"1", "3"', true],
  ['*', true],
  [' "3" ', true],
  ['"33"', false],
  ['3', false],
  ['"2"', false],
  ['', false],
  [undefined, false],
])('If-None-Match %j names "3": %s', (ifNoneMatch, known) => {
  expect(isKnown(ifNoneMatch, '"3"')).toBe(known);
});

describe('a response', () => {
  const response = { status: 200, headers: { ETag: '"3"', Location: '/x' }, body: { a: 1 } };

  test('that the caller has already is 304, without content but with its ETag', () => {
    expect(unlessKnown('"3"', response)).toEqual({
      status: 304,
      headers: { ETag: '"3"' },
      body: undefined,
    });
  });

  test('that the caller does not have is sent whole', () => {
    expect(unlessKnown('"2"', response)).toBe(response);
    expect(unlessKnown(undefined, response)).toBe(response);
  });
});
