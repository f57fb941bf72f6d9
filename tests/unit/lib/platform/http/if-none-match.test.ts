import { describe, expect, test } from 'vitest';
import { isKnown, unlessKnown } from '../../../../../lib/platform/http/if-none-match.ts';

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
