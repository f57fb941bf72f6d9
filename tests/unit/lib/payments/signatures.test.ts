import { describe, expect, test } from 'vitest';
import { isSigned, signatureOf } from '../../../../lib/payments/signatures.ts';

/** 2026-03-01T12:00:00Z. */
const NOW_SECONDS = 1_772_366_400;
const NOW_MS = NOW_SECONDS * 1000;
const SECRET = 'whsec_0123456789abcdef';
const OTHER = 'whsec_another_0123456789';
const BODY = '{"eventId":"evt_1","status":"CAPTURED"}';
const GOOD = signatureOf(BODY, [SECRET], NOW_MS);
const [T, V1] = GOOD.split(',') as [string, string];

function accepts(
  header: string | undefined,
  { body = BODY, secrets = [SECRET], nowMs = NOW_MS } = {},
): boolean {
  return isSigned(body, header, secrets, nowMs);
}

describe('a signature', () => {
  test('is the HMAC-SHA256 of time, dot and body, as any other tool makes it', () => {
    // printf '1772366400.{"eventId":"evt_1","status":"CAPTURED"}' | openssl dgst -sha256 -hmac …
    expect(GOOD).toBe(
      't=1772366400,v1=8d21f142ed7e04e70147e2a498bc34eb9ed0a2a4169daf4937f7a98172f285f4',
    );
  });

  test('is accepted for the body that it was made for', () => {
    expect(accepts(GOOD)).toBe(true);
  });

  test('covers bytes and not characters', () => {
    const bytes = Uint8Array.from([0xff, 0xfe, 0x00, 0x7b]);
    const header = signatureOf(bytes, [SECRET], NOW_MS);
    expect(isSigned(bytes, header, [SECRET], NOW_MS)).toBe(true);
    const decoded = new TextDecoder().decode(bytes);
    expect(isSigned(decoded, header, [SECRET], NOW_MS)).toBe(false);
    const umlaut = '{"name":"Müller"}';
    expect(accepts(signatureOf(umlaut, [SECRET], NOW_MS), { body: umlaut })).toBe(true);
  });

  test('of an empty body is one too', () => {
    expect(accepts(signatureOf('', [SECRET], NOW_MS), { body: '' })).toBe(true);
  });

  test.each([
    ['one byte changed', BODY.replace('CAPTURED', 'CAPTUREE')],
    ['a space more', `${BODY} `],
    ['nothing', ''],
  ])('is refused for a body with %s', (_what, body) => {
    expect(accepts(GOOD, { body })).toBe(false);
  });

  test('of another secret is refused', () => {
    expect(accepts(GOOD, { secrets: [OTHER] })).toBe(false);
    expect(accepts(GOOD, { secrets: [] })).toBe(false);
  });

  test('is refused with another time, even one in tolerance', () => {
    expect(accepts(`t=${String(NOW_SECONDS + 1)},${V1}`)).toBe(false);
    expect(accepts(`t=0${String(NOW_SECONDS)},${V1}`)).toBe(false);
  });

  test.each([
    [-300_001, false],
    [-300_000, true],
    [0, true],
    [300_000, true],
    [300_001, false],
    [86_400_000, false],
  ])('is, %d ms after its time, accepted: %s', (offMs, expected) => {
    expect(accepts(GOOD, { nowMs: NOW_MS + offMs })).toBe(expected);
  });
});

describe('while a secret is replaced', () => {
  test('either of two accepted secrets may have signed', () => {
    const secrets = [OTHER, SECRET];
    expect(accepts(GOOD, { secrets })).toBe(true);
    expect(accepts(signatureOf(BODY, [OTHER], NOW_MS), { secrets })).toBe(true);
    expect(accepts(signatureOf(BODY, ['whsec_third_0123456789'], NOW_MS), { secrets })).toBe(false);
  });

  test('one good signature among several is enough, wherever it stands', () => {
    const both = signatureOf(BODY, [OTHER, SECRET], NOW_MS);
    expect(both.match(/v1=/g)).toHaveLength(2);
    expect(accepts(both)).toBe(true);
    expect(accepts(both, { secrets: [OTHER] })).toBe(true);
    expect(accepts(`${T},v1=${'0'.repeat(64)},${V1}`)).toBe(true);
    expect(accepts(`${T},v1=nonsense,v0=old,${V1}`)).toBe(true);
  });
});

describe('a header', () => {
  test.each([
    ['spaces between its parts', `${T}, ${V1}`],
    ['its parts the other way round', `${V1},${T}`],
    ['upper-case hex', `${T},v1=${V1.slice(3).toUpperCase()}`],
  ])('with %s is accepted', (_what, header) => {
    expect(accepts(header)).toBe(true);
  });

  test.each([
    ['that is not there', undefined],
    ['that is empty', ''],
    ['of commas', ',,,'],
    ['without a signature', T],
    ['with an empty signature', `${T},v1=`],
    ['without a time', V1],
    ['with an empty time', `t=,${V1}`],
    ['with two times', `${T},${T},${V1}`],
    ['with a time in words', `t=now,${V1}`],
    ['with a negative time', `t=-${String(NOW_SECONDS)},${V1}`],
    ['with a fraction of a second', `t=${String(NOW_SECONDS)}.5,${V1}`],
    ['with a time beyond all numbers', `t=${'9'.repeat(400)},${V1}`],
    ['whose signature is not hex', `${T},v1=${'z'.repeat(64)}`],
    ['whose signature is cut', `${T},${V1.slice(0, -1)}`],
    ['whose signature is cut by a byte', `${T},${V1.slice(0, -2)}`],
    ['whose signature is longer', `${T},${V1}00`],
    ['of another scheme', `${T},${V1.replace('v1', 'v0')}`],
    ['with one digit changed', `${T},${V1.slice(0, -1)}${V1.endsWith('0') ? '1' : '0'}`],
  ])('%s is refused and breaks nothing', (_what, header) => {
    expect(accepts(header)).toBe(false);
  });
});
