import { expect, test } from 'vitest';
import { judge } from '../../../../tools/doctor/judge.ts';
import {
  type Around,
  factsOf,
  held,
  inShort,
  NOW,
  NOW_MS,
  OVERDUE_AFTER_MS,
  order,
  released,
  sold,
} from './support.ts';

const PROBLEM = 'RESERVATION#ord_1 is malformed at lines.';

function judged(around: Around): string[] {
  return inShort(judge({ kind: 'RESERVATION', orderId: 'ord_1' }, factsOf(around), NOW));
}

test.each<[string, Around]>([
  ['held', { order: order('PENDING_PAYMENT'), reservation: held() }],
  ['sold', { order: order('PAYMENT_DONE'), reservation: sold() }],
  ['a tombstone', { order: order('ORDER_FAILED'), reservation: released() }],
  ['a tombstone of an order that never was', { reservation: released() }],
  ['not there any more', { order: order('PENDING_PAYMENT') }],
  [
    'held beyond its time by as much as is normal',
    {
      order: order('PENDING_PAYMENT'),
      reservation: held(3, { expiresAtMs: NOW_MS - OVERDUE_AFTER_MS }),
    },
  ],
])('nothing is wrong with a reservation that is %s', (_what, around) => {
  expect(judged(around)).toEqual([]);
});

test.each<[string, Around, string]>([
  ['held and without an order', { reservation: held() }, 'order-missing: RELEASE_STOCK'],
  ['sold and without an order', { reservation: sold() }, 'order-missing: a person'],
  [
    'long beyond its time',
    {
      order: order('PENDING_PAYMENT'),
      reservation: held(3, { expiresAtMs: NOW_MS - OVERDUE_AFTER_MS - 1 }),
    },
    'hold-overdue: EXPIRE_HOLD',
  ],
  [
    'long beyond its time and without an order',
    { reservation: held(3, { expiresAtMs: 0 }) },
    'order-missing: RELEASE_STOCK',
  ],
  [
    'refused by the service, though long beyond its time',
    {
      order: order('PENDING_PAYMENT'),
      reservation: held(3, { lines: undefined, expiresAtMs: 0 }),
      reservationProblem: PROBLEM,
    },
    'unreadable: a person',
  ],
])('a reservation that is %s is told', (_what, around, expected) => {
  expect(judged(around)).toEqual([expected]);
});
