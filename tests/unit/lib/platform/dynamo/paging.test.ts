import { describe, expect, test } from 'vitest';
import { pageOf, pageQuerySchema } from '../../../../../lib/platform/dynamo/paging.ts';

const rules = { defaultLimit: 2, maximumLimit: 3, position: /^[a-z]$/ };
const schema = pageQuerySchema(rules);
const cursor = (position: string) => Buffer.from(position).toString('base64url');

describe('a page', () => {
  test('goes on after its last entry', () => {
    const { page, next } = pageOf(['a', 'b', 'c'], 2, String);
    expect(page).toEqual(['a', 'b']);
    expect(schema.parse({ cursor: next })).toEqual({ limit: 2, cursor: 'b' });
  });

  test('that is exactly full is the last one where nothing comes after it', () => {
    expect(pageOf(['a', 'b'], 2, String)).toEqual({ page: ['a', 'b'], next: null });
  });

  test('may be empty', () => {
    expect(pageOf([], 2, String)).toEqual({ page: [], next: null });
  });
});

describe('the query of a page', () => {
  test('has a default limit and begins at the start', () => {
    expect(schema.parse({})).toEqual({ limit: 2 });
  });

  test.each(['1', '3'])('takes limit=%s', (limit) => {
    expect(schema.parse({ limit })).toEqual({ limit: Number(limit) });
  });

  test.each(['0', '4', '-1', '1.5', '1e0', 'two', '', ' 1'])('refuses limit=%j', (limit) => {
    expect(schema.safeParse({ limit }).success).toBe(false);
  });

  test.each([
    ['nothing', ''],
    ['no base64url', 'a+b/!'],
    ['another list’s place', cursor('42')],
    ['more than a place', cursor('a\nb')],
  ])('refuses %s as cursor', (_what, given) => {
    expect(schema.safeParse({ cursor: given }).success).toBe(false);
  });

  test('refuses what it does not know', () => {
    expect(schema.safeParse({ page: '2' }).success).toBe(false);
  });
});
