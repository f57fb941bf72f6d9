import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { call, prepare, seen } from './called-handler.ts';

prepare();

const bodySchema = z.strictObject({
  items: z.array(z.strictObject({ productId: z.string(), quantity: z.int() })).min(1),
});
const GOOD_BODY = JSON.stringify({ items: [{ productId: 'mug', quantity: 1 }] });

describe('a body', () => {
  const endpoint = {
    body: { schema: bodySchema, example: { items: [{ productId: 'mug', quantity: 1 }] } },
  };

  test('that is well-formed reaches the use case parsed', async () => {
    await call({ body: GOOD_BODY }, endpoint);
    expect(seen?.body).toEqual({ items: [{ productId: 'mug', quantity: 1 }] });
  });

  test('in base64 is decoded first', async () => {
    const body = Buffer.from(GOOD_BODY).toString('base64');
    const answer = await call({ body, isBase64Encoded: true }, endpoint);
    expect(answer.status).toBe(200);
    expect(seen?.body).toEqual(JSON.parse(GOOD_BODY));
  });

  const NO_JSON = 'The body must be JSON.';
  const EMPTY = 'The body must be JSON; it is empty.';
  const MARKED = 'The body must be JSON; leave out the byte order mark before it.';

  test.each([
    [null, EMPTY],
    ['', EMPTY],
    ['{', NO_JSON],
    ['items=mug', NO_JSON],
    ['{"items":[]}}', NO_JSON],
    ["{'items':[]}", NO_JSON],
    [`\uFEFF${GOOD_BODY}`, MARKED],
    ['['.repeat(60_000), NO_JSON],
    ['{"items":'.repeat(7000), NO_JSON],
  ])('%.20j is no JSON: 400', async (body, detail) => {
    const answer = await call({ body }, endpoint);
    expect(answer).toMatchObject({
      status: 400,
      headers: { 'Content-Type': 'application/problem+json' },
      body: { code: 'BAD_REQUEST', detail, instance: '/order' },
    });
    expect(seen).toBeUndefined();
  });

  test.each([
    ['false', 'boolean'],
    ['true', 'boolean'],
    ['0', 'number'],
    ['-0', 'number'],
    ['1e999', 'Infinity'],
    ['null', 'null'],
    ['""', 'string'],
    ['[]', 'array'],
    [`${'['.repeat(30_000)}${']'.repeat(30_000)}`, 'array'],
    [`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'a'],
  ])('%.20s is JSON but no request: 400 that names it', async (body, named) => {
    const answer = await call({ body }, endpoint);
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect(answer.body['detail']).toMatch(/^Correct the body: /);
    expect(answer.body['detail']).toContain(named);
    expect(seen).toBeUndefined();
  });

  test.each([
    ['{}', ['items']],
    ['{"items":[]}', ['items']],
    ['{"items":{}}', ['items']],
    ['null', ['']],
    ['[]', ['']],
    ['"text"', ['']],
    ['{"items":[{"productId":"mug","quantity":1.5}]}', ['items.0.quantity']],
    ['{"items":[{"productId":"mug","quantity":"1"}]}', ['items.0.quantity']],
    ['{"items":[{"productId":"mug","quantity":1e400}]}', ['items.0.quantity']],
    ['{"items":[{"productId":"mug","quantity":9007199254740993}]}', ['items.0.quantity']],
    ['{"items":[{"productId":7,"quantity":null}]}', ['items.0.productId', 'items.0.quantity']],
    ['{"items":[{"productId":"mug","quantity":1,"price":0}]}', ['items.0']],
    ['{"items":[{"productId":"mug","quantity":1}],"userId":"bob"}', ['']],
    ['{"items":[{"productId":"mug","quantity":1}],"__proto__":{"a":1}}', ['']],
  ])('%s is 400 and names the fields at fault', async (body, fields) => {
    const answer = await call({ body }, endpoint);
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    const errors = answer.body['errors'] as { field: string; message: string }[];
    expect(errors.map(({ field }) => field)).toEqual(fields);
    for (const { message } of errors) expect(answer.body['detail']).toContain(message);
    expect(seen).toBeUndefined();
  });

  test('with an unknown field is told which', async () => {
    const answer = await call({ body: '{"items":[],"coupon":1}' }, endpoint);
    expect(answer.body['detail']).toContain('coupon');
  });

  const bodyOfBytes = (bytes: number) => {
    const frame = JSON.stringify({ items: [{ productId: '', quantity: 1 }] });
    return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
  };

  test('of exactly 64 KiB is taken', async () => {
    const answer = await call({ body: bodyOfBytes(65_536) }, endpoint);
    expect(answer.status).toBe(200);
  });

  test('of one byte more is 400, before anything reads it', async () => {
    const answer = await call({ body: bodyOfBytes(65_537) }, endpoint);
    expect(answer).toMatchObject({ status: 400, body: { code: 'BODY_TOO_LARGE' } });
    expect(seen).toBeUndefined();
  });

  test('is measured in bytes as sent, not in characters', async () => {
    const body = JSON.stringify({ items: [{ productId: 'ä'.repeat(33_000), quantity: 1 }] });
    expect(body.length).toBeLessThan(65_536);
    expect((await call({ body }, endpoint)).body['code']).toBe('BODY_TOO_LARGE');
  });

  test('in base64 is measured decoded', async () => {
    const encode = (bytes: number) => Buffer.from(bodyOfBytes(bytes)).toString('base64');
    const small = await call({ body: encode(65_536), isBase64Encoded: true }, endpoint);
    const large = await call({ body: encode(65_537), isBase64Encoded: true }, endpoint);
    expect([small.status, large.status]).toEqual([200, 400]);
  });

  test('is not looked at where the route takes none', async () => {
    expect((await call({ body: '{' })).status).toBe(200);
    expect(seen?.body).toBeUndefined();
  });
});
