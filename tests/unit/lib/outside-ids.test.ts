import { expect, test } from 'vitest';
import { pathIdsOf } from '../../../lib/outside-ids.ts';
import { NotFound } from '../../../lib/platform/errors.ts';

const DIGEST = '0123456789abcdef0123456789';

test('ids of their form are read, and what is no id is left out', () => {
  const ids = {
    orderId: `ord_${DIGEST}`,
    paymentId: `pay_${DIGEST}_${DIGEST}`,
    productId: 'prod-mug',
  };
  expect(pathIdsOf({ ...ids, proxy: '../..' })).toEqual(ids);
});

test.each(['orderId', 'paymentId', 'productId'])('an impossible %s is nothing', (name) => {
  const impossible = [
    '',
    '.',
    '..',
    '../prod-mug',
    'a/b',
    'ORD_1',
    `ord_${DIGEST}\n`,
    'a'.repeat(64),
  ];
  for (const id of impossible) expect(() => pathIdsOf({ [name]: id }), id).toThrow(NotFound);
});
