import { describe, expect, test } from 'vitest';
import { BadRequest } from '../../../../../lib/platform/errors.ts';
import { versionOf } from '../../../../../lib/platform/http/if-match.ts';

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
