import { describe, expect, test } from 'vitest';
import { blocks, duplicateGuardFor } from '../../../../lib/orders/duplicate-guard.ts';
import { guardKeyFor } from '../../../../lib/orders/order-repository.ts';
import { NOW_MS, orderIn, World } from './fakes.ts';

const ITEMS = [{ productId: 'mug', quantity: 2 }];
const OTHERS = [{ productId: 'mug', quantity: 3 }];

describe('an order of the same items', () => {
  const world = new World(orderIn('CREATED'));

  test.each([
    ['CREATED', true],
    ['PENDING_RESERVING_STOCK', true],
    ['PENDING_PAYMENT', true],
    ['PAYMENT_IN_PROGRESS', true],
    ['PAYMENT_FAILED', true],
    ['ORDER_FAILED', true],
    ['PAYMENT_DONE', false],
    ['INVALID', false],
    ['ORDER_CANCELLED', false],
  ] as const)('that is %s stands in the way: %s', (status, isInTheWay) => {
    expect(blocks(world.service, orderIn(status), ITEMS)).toBe(isInTheWay);
    expect(blocks(world.service, orderIn(status), OTHERS)).toBe(false);
  });

  test.each([
    [0, true],
    [599_999, true],
    [600_000, false],
    [86_400_000, false],
  ])('placed %i ms ago stands in the way: %s', (ageMs, isInTheWay) => {
    const first = orderIn('CREATED', { createdAtMs: NOW_MS - ageMs });
    expect(blocks(world.service, first, ITEMS)).toBe(isInTheWay);
  });

  test('in whatever order of lines stands in the way', () => {
    const two = [...ITEMS, { productId: 'coffee', quantity: 1 }];
    const first = orderIn('CREATED', { items: two });
    expect(blocks(world.service, first, two.toReversed())).toBe(true);
  });
});

describe('the guard that a modified order takes', () => {
  const guardKey = guardKeyFor('alice', OTHERS);
  const other = orderIn('CREATED', { orderId: 'ord_2', items: OTHERS });

  const guarded = (by: string | undefined, named = other) => {
    const world = new World(orderIn('PENDING_PAYMENT'));
    world.put(named);
    if (by !== undefined) world.guards.set(guardKey, by);
    return duplicateGuardFor(world.service, world.order, OTHERS);
  };

  test.each([
    ['where there is none is new', undefined, other, undefined],
    ['where it has it already is its own', 'ord_1', other, 'ord_1'],
    ['of an order that is not there is taken over', 'ord_9', other, 'ord_9'],
    [
      'of an order that is over is taken over',
      'ord_2',
      orderIn('ORDER_CANCELLED', { orderId: 'ord_2', items: OTHERS }),
      'ord_2',
    ],
    [
      'of an order that has other items by now is taken over',
      'ord_2',
      orderIn('CREATED', { orderId: 'ord_2', items: ITEMS }),
      'ord_2',
    ],
    [
      'of an order that is too old is taken over',
      'ord_2',
      orderIn('CREATED', { orderId: 'ord_2', items: OTHERS, createdAtMs: NOW_MS - 600_000 }),
      'ord_2',
    ],
  ] as const)('%s', async (_what, by, named, replacing) => {
    expect(await guarded(by, named as typeof other)).toEqual({
      guardKey,
      replacing,
    });
  });

  test('of another order in force is left alone', async () => {
    expect(await guarded('ord_2')).toBeUndefined();
  });

  test('is one per user and items', () => {
    const keys = [
      guardKeyFor('alice', ITEMS),
      guardKeyFor('alice', OTHERS),
      guardKeyFor('bob', ITEMS),
    ];
    expect(new Set(keys).size).toBe(3);
  });
});
