import { expect, test } from 'vitest';
import * as refusals from '../../../../lib/inventory/refusals.ts';
import type { Refusal } from '../../../../lib/platform/errors.ts';

/** Answers to those who manage products; no reservation is refused by them. */
const OF_PRODUCTS = ['PRODUCT_EXISTS'];

// Left out, such an answer would be taken for a misunderstanding, and its order would fail.
test('every refusal of a reservation is one for the Order Service that reads it', () => {
  const rows = Object.values(refusals).flatMap((value) =>
    'refusal' in value ? [value.refusal as Refusal] : [],
  );
  const refused = rows
    .filter(({ status, code }) => status < 500 && !OF_PRODUCTS.includes(code))
    .map(({ code }) => code);
  expect(refused.length).toBeGreaterThan(5);
  expect(refusals.RESERVATION_REFUSALS.map(({ refusal }) => refusal.code).sort()).toEqual(
    refused.sort(),
  );
});
