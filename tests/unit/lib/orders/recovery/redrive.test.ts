import { describe, expect, test } from 'vitest';
import type { Order } from '../../../../../lib/orders/order.ts';
import { type Letter, readLetter } from '../../../../../lib/orders/recovery/dead-letters.ts';
import {
  decideRedrive,
  lookAt,
  type Redrive,
  type RedriveService,
  redrive,
} from '../../../../../lib/orders/recovery/redrive.ts';
import type { Payment } from '../../../../../lib/payments/payment.ts';
import { ConcurrentUpdate, InfrastructureUnavailable } from '../../../../../lib/platform/errors.ts';
import { NOW_MS, orderIn, paymentIn, World } from '../fakes.ts';

const AT = '2026-03-01T12:00:00.000Z';

function sagaLetter(changes: object = {}): Letter {
  const facts = { orderId: 'ord_1', run: 2, correlationId: 'corr-1', at: AT };
  const letter = { ...facts, step: 'a-step', error: 'InventoryUnavailable', ...changes };
  return readLetter('saga', JSON.stringify(letter));
}

function compensationLetter(changes: object = {}): Letter {
  const request = { orderId: 'ord_1', run: 2, correlationId: 'corr-1', ...changes };
  return readLetter('compensation', JSON.stringify(request));
}

const ACKNOWLEDGEMENT = {
  eventId: 'evt_1',
  type: 'charge.updated',
  paymentId: 'pay_1',
  orderId: 'ord_1',
  receivedAs: 'hook-1',
};

function acknowledgementLetter(changes: object = {}): Letter {
  return readLetter('acknowledgement', JSON.stringify({ ...ACKNOWLEDGEMENT, ...changes }));
}

const EXHAUSTED = { reason: 'INVENTORY_UNAVAILABLE' };
const OWES_STOCK = { releaseOwed: { revision: 3 }, dueAtMs: NOW_MS };
const REQUEST = { orderId: 'ord_1', run: 2, correlationId: 'corr-1' };
const owesVoid = (changes: Partial<Payment> = {}) =>
  ({ ...paymentIn('FAILED', { voidOwed: { dueAtMs: NOW_MS } }), ...changes }) as Payment;
const owesRefund = (changes: Partial<Payment> = {}) =>
  ({
    ...paymentIn('CAPTURED', { refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS } }),
    ...changes,
  }) as Payment;

/** A decision as short text: the action and its reason. */
function inShort(decision: Redrive): string {
  switch (decision.action) {
    case 'RUN_AGAIN':
    case 'MOVE_ON':
      return `${decision.action} ${decision.order.status}`;
    case 'COMPENSATE':
      return `COMPENSATE ${decision.request.paymentId ?? 'order'}`;
    case 'ACKNOWLEDGE':
      return `ACKNOWLEDGE ${decision.acknowledgement.paymentId}`;
    case 'NOTHING':
    case 'KEEP':
      return `${decision.action} ${decision.why}`;
  }
}

async function decided(
  letter: Letter,
  order: Order,
  payments: readonly Payment[] = [],
  isNamed = false,
): Promise<string> {
  const { service } = new World(order, ...payments);
  return inShort(decideRedrive(letter, await lookAt(service, letter), isNamed));
}

describe('the letter of a saga step', () => {
  test.each<[string, Order, readonly Payment[], string]>([
    // The system owes the next move.
    ['CREATED', orderIn('CREATED'), [], 'MOVE_ON CREATED'],
    ['reserving', orderIn('PENDING_RESERVING_STOCK'), [], 'MOVE_ON PENDING_RESERVING_STOCK'],
    ['waiting for its payment', orderIn('PENDING_PAYMENT'), [], 'MOVE_ON PENDING_PAYMENT'],
    [
      'being paid',
      orderIn('PAYMENT_IN_PROGRESS'),
      [paymentIn('CAPTURED')],
      'MOVE_ON PAYMENT_IN_PROGRESS',
    ],
    [
      'being paid, its payment given up',
      orderIn('PAYMENT_IN_PROGRESS'),
      [owesVoid()],
      'MOVE_ON PAYMENT_IN_PROGRESS',
    ],
    [
      'being paid in its last run',
      orderIn('PAYMENT_IN_PROGRESS', { run: 50 }),
      [paymentIn('CAPTURED')],
      'MOVE_ON PAYMENT_IN_PROGRESS',
    ],
    ['of a later run that reserves', orderIn('CREATED', { run: 3 }), [], 'MOVE_ON CREATED'],
    // The order failed because retries were used up.
    ['failed by exhaustion', orderIn('ORDER_FAILED', EXHAUSTED), [], 'RUN_AGAIN ORDER_FAILED'],
    [
      'failed by another exhaustion',
      orderIn('ORDER_FAILED', { reason: 'TEMPORARILY_UNAVAILABLE' }),
      [],
      'RUN_AGAIN ORDER_FAILED',
    ],
    [
      'failed by exhaustion, its stock still owed',
      orderIn('ORDER_FAILED', { ...EXHAUSTED, ...OWES_STOCK }),
      [],
      'RUN_AGAIN ORDER_FAILED',
    ],
    [
      'failed by exhaustion in a later run, which has a letter of its own',
      orderIn('ORDER_FAILED', { ...EXHAUSTED, run: 3 }),
      [],
      'NOTHING LATER_RUN',
    ],
    // The order failed for another reason.
    [
      'failed since its time was up',
      orderIn('ORDER_FAILED', { reason: 'RESERVATION_EXPIRED' }),
      [],
      'NOTHING SETTLED',
    ],
    [
      'failed for a product that is withdrawn',
      orderIn('ORDER_FAILED', { reason: 'PRODUCT_UNAVAILABLE' }),
      [],
      'NOTHING SETTLED',
    ],
    [
      'failed since its time was up, its stock still owed',
      orderIn('ORDER_FAILED', { reason: 'RESERVATION_EXPIRED', ...OWES_STOCK }),
      [],
      'COMPENSATE order',
    ],
    // The order is at rest.
    ['paid', orderIn('PAYMENT_DONE'), [paymentIn('CAPTURED')], 'NOTHING SETTLED'],
    ['paid in a later run', orderIn('PAYMENT_DONE', { run: 4 }), [], 'NOTHING LATER_RUN'],
    ['invalid', orderIn('INVALID'), [], 'NOTHING SETTLED'],
    ['cancelled', orderIn('ORDER_CANCELLED'), [], 'NOTHING SETTLED'],
    ['cancelled, its stock owed', orderIn('ORDER_CANCELLED', OWES_STOCK), [], 'COMPENSATE order'],
    ['invalid, its stock owed', orderIn('INVALID', OWES_STOCK), [], 'COMPENSATE order'],
    // The payment failed.
    [
      'whose payment failed',
      orderIn('PAYMENT_FAILED', EXHAUSTED),
      [paymentIn('FAILED')],
      'NOTHING ONLY_ITS_USER',
    ],
    [
      'whose payment failed with its void owed',
      orderIn('PAYMENT_FAILED'),
      [owesVoid()],
      'COMPENSATE order',
    ],
    [
      'whose payment failed with its refund owed',
      orderIn('PAYMENT_FAILED'),
      [owesRefund()],
      'COMPENSATE order',
    ],
    [
      'whose payment failed with its stock owed',
      orderIn('PAYMENT_FAILED', OWES_STOCK),
      [paymentIn('DECLINED')],
      'COMPENSATE order',
    ],
  ])('about an order that is %s', async (_what, order, payments, expected) => {
    expect(await decided(sagaLetter(), order, payments)).toBe(expected);
  });

  test.each([
    [49, {}, 'RUN_AGAIN ORDER_FAILED'],
    [50, {}, 'NOTHING NO_RUN_LEFT'],
    [50, OWES_STOCK, 'COMPENSATE order'],
  ])('of run %i that failed by exhaustion, %j', async (run, owed, expected) => {
    const order = orderIn('ORDER_FAILED', { ...EXHAUSTED, ...owed, run });
    expect(await decided(sagaLetter({ run }), order)).toBe(expected);
  });

  test('of a run that nobody could find out never runs an order again', async () => {
    const letter = sagaLetter({ run: 0 });
    expect(await decided(letter, orderIn('ORDER_FAILED', EXHAUSTED))).toBe('NOTHING LATER_RUN');
    expect(await decided(letter, orderIn('CREATED'))).toBe('MOVE_ON CREATED');
  });

  test.each<[string, Order, Payment, string]>([
    ['paid', orderIn('PAYMENT_DONE'), owesRefund(), 'COMPENSATE pay_1'],
    ['being paid', orderIn('PAYMENT_IN_PROGRESS'), owesRefund(), 'COMPENSATE pay_1'],
    [
      'being paid and the payment is settled',
      orderIn('PAYMENT_IN_PROGRESS'),
      paymentIn('REFUNDED'),
      'MOVE_ON PAYMENT_IN_PROGRESS',
    ],
  ])('about a former payment of an order that is %s', async (_what, order, payment, expected) => {
    const current = paymentIn('CAPTURED', { paymentId: 'pay_2' });
    const letter = sagaLetter({ paymentId: 'pay_1' });
    expect(await decided(letter, order, [payment, current])).toBe(expected);
  });
});

describe('the letter of a compensation', () => {
  test.each<[string, Order, readonly Payment[], string]>([
    ['owes stock', orderIn('ORDER_FAILED', OWES_STOCK), [], 'COMPENSATE order'],
    ['owes a void', orderIn('PAYMENT_FAILED'), [owesVoid()], 'COMPENSATE order'],
    ['owes a refund', orderIn('ORDER_CANCELLED'), [owesRefund()], 'COMPENSATE order'],
    [
      'has given everything back',
      orderIn('PAYMENT_FAILED'),
      [paymentIn('VOIDED')],
      'NOTHING GIVEN_BACK',
    ],
    // A compensation letter does not say that a run gave up, so its redrive retries no order.
    ['failed by exhaustion', orderIn('ORDER_FAILED', EXHAUSTED), [], 'NOTHING GIVEN_BACK'],
    ['was retried since', orderIn('PENDING_RESERVING_STOCK', { run: 3 }), [], 'NOTHING GIVEN_BACK'],
    ['was paid since', orderIn('PAYMENT_DONE'), [paymentIn('CAPTURED')], 'NOTHING GIVEN_BACK'],
  ])('about an order that %s', async (_what, order, payments, expected) => {
    expect(await decided(compensationLetter(), order, payments)).toBe(expected);
  });

  test.each<[string, Payment, string]>([
    ['owes a refund', owesRefund({ paymentId: 'pay_0' }), 'COMPENSATE pay_0'],
    ['owes a void', owesVoid({ paymentId: 'pay_0' }), 'COMPENSATE pay_0'],
    ['is settled', paymentIn('REFUNDED', { paymentId: 'pay_0' }), 'NOTHING GIVEN_BACK'],
  ])('about a former payment that %s', async (_what, former, expected) => {
    const letter = compensationLetter({ paymentId: 'pay_0' });
    const payments = [former, paymentIn('CAPTURED')];
    expect(await decided(letter, orderIn('PAYMENT_DONE'), payments)).toBe(expected);
  });
});

describe('the letter of an acknowledgement', () => {
  const order = orderIn('PAYMENT_IN_PROGRESS');

  test.each([false, true])('of a known payment, named %s, is sent again', async (isNamed) => {
    const does = await decided(acknowledgementLetter(), order, [paymentIn('PENDING')], isNamed);
    expect(does).toBe('ACKNOWLEDGE pay_1');
  });

  test.each([
    ['payment', { paymentId: 'pay_9' }],
    ['order', { orderId: 'ord_9' }],
  ])('of an unknown %s is kept, unless it is named', async (_what, changes) => {
    const letter = acknowledgementLetter(changes);
    const payments = [paymentIn('PENDING')];
    expect(await decided(letter, order, payments)).toBe('KEEP UNKNOWN_PAYMENT');
    expect(await decided(letter, order, payments, true)).toMatch(/^ACKNOWLEDGE pay_/);
  });
});

describe('a letter is kept', () => {
  test.each([
    ['of an order that is not here', sagaLetter({ orderId: 'ord_9' }), 'KEEP UNKNOWN_ORDER'],
    [
      'of the compensation of such an order',
      compensationLetter({ orderId: 'ord_9' }),
      'KEEP UNKNOWN_ORDER',
    ],
    ['that nobody can read', readLetter('saga', '{"orderId":"ord_1"}'), 'KEEP UNREADABLE'],
    ['that is no compensation', readLetter('compensation', 'hello'), 'KEEP UNREADABLE'],
    ['that is no acknowledgement', readLetter('acknowledgement', '[]'), 'KEEP UNREADABLE'],
  ])('%s, also where it is named', async (_what, letter, expected) => {
    expect(await decided(letter, orderIn('CREATED'))).toBe(expected);
    expect(await decided(letter, orderIn('CREATED'), [], true)).toBe(expected);
  });
});

describe('redriving', () => {
  const redriven = (world: World, letter: Letter) => {
    const acknowledgements: RedriveService['acknowledgements'] = {
      add: ({ eventId }) => {
        world.calls.push(`acknowledgement ${eventId}`);
        return Promise.resolve();
      },
    };
    return redrive({ service: world.service, acknowledgements }, letter, false);
  };

  test('an order that failed by exhaustion writes its next run, due, and starts it', async () => {
    const world = new World(orderIn('ORDER_FAILED', { ...EXHAUSTED, ...OWES_STOCK }));
    await redriven(world, sagaLetter());
    expect(world.effects).toEqual(['save order CREATED', 'saga.start ord_1-3']);
    expect(world.order).toMatchObject({
      status: 'CREATED',
      run: 3,
      revision: 4,
      version: 8,
      dueAtMs: NOW_MS + 30_000,
    });
    expect(world.order).not.toHaveProperty('releaseOwed');
    expect(world.order.history.at(-1)).toEqual({
      from: 'ORDER_FAILED',
      to: 'CREATED',
      reason: 'ORDER_REDRIVEN',
      at: AT,
      by: 'operator',
    });
  });

  test('it again only wakes what runs already', async () => {
    const world = new World(orderIn('ORDER_FAILED', EXHAUSTED));
    await redriven(world, sagaLetter());
    const first = world.order;
    expect(inShort(await redriven(world, sagaLetter()))).toBe('MOVE_ON CREATED');
    expect(world.order).toEqual(first);
  });

  test('by two operators at once runs the order once', async () => {
    const world = new World(orderIn('ORDER_FAILED', EXHAUSTED));
    const both = await Promise.all([redriven(world, sagaLetter()), redriven(world, sagaLetter())]);
    expect(both.map(inShort).sort()).toEqual(['MOVE_ON CREATED', 'RUN_AGAIN ORDER_FAILED']);
    expect(world.order).toMatchObject({ run: 3, version: 8 });
  });

  test('leaves the start to the dispatcher where the saga cannot be reached', async () => {
    const world = new World(orderIn('ORDER_FAILED', EXHAUSTED));
    world.failAt('saga.start', new InfrastructureUnavailable('No answer.'));
    expect(inShort(await redriven(world, sagaLetter()))).toBe('RUN_AGAIN ORDER_FAILED');
    expect(world.order).toMatchObject({ status: 'CREATED', dueAtMs: NOW_MS + 30_000 });
  });

  test('meets the user’s own retry and does not run the order twice', async () => {
    const world = new World(orderIn('ORDER_FAILED', EXHAUSTED));
    world.interfere = (call) => {
      if (call === 'save order CREATED') world.put(orderIn('CREATED', { run: 3, version: 8 }));
    };
    expect(inShort(await redriven(world, sagaLetter()))).toBe('MOVE_ON CREATED');
    expect(world.order).toMatchObject({ run: 3, version: 8 });
  });

  test('meets the user’s cancellation and leaves it', async () => {
    const world = new World(orderIn('ORDER_FAILED', EXHAUSTED));
    world.interfere = (call) => {
      if (call === 'save order CREATED')
        world.put(orderIn('ORDER_CANCELLED', { version: 8, writes: 18 }));
    };
    expect(inShort(await redriven(world, sagaLetter()))).toBe('NOTHING SETTLED');
    expect(world.order.status).toBe('ORDER_CANCELLED');
  });

  test('an order whose saga has ended gives it the next run at once', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS', { dueAtMs: NOW_MS + 3_600_000 }));
    world.put(paymentIn('CAPTURED'));
    world.execution = 'CLOSED';
    await redriven(world, sagaLetter());
    expect(world.effects).toEqual([
      'saga.start ord_1-2',
      'save order PAYMENT_IN_PROGRESS',
      'saga.start ord_1-3',
    ]);
    expect(world.order).toMatchObject({ status: 'PAYMENT_IN_PROGRESS', run: 3 });
  });

  test('an order whose saga runs wakes it and writes nothing', async () => {
    const order = orderIn('PAYMENT_IN_PROGRESS');
    const world = new World(order, paymentIn('INITIATED'));
    await redriven(world, sagaLetter());
    expect(world.effects).toEqual(['saga.start ord_1-2', 'saga.signal user-wait']);
    expect(world.order).toEqual(order);
  });

  test.each([
    [NOW_MS + 3_600_000, NOW_MS, ['saga.start ord_1-50', 'save order PAYMENT_IN_PROGRESS']],
    [NOW_MS - 1, NOW_MS - 1, ['saga.start ord_1-50']],
  ])(
    'an order without a run left, due at %i, is left to the dispatcher, without another letter',
    async (dueAtMs, becomesDueAtMs, effects) => {
      const world = new World(orderIn('PAYMENT_IN_PROGRESS', { run: 50, dueAtMs }));
      world.put(paymentIn('CAPTURED'));
      world.execution = 'CLOSED';
      await redriven(world, sagaLetter({ run: 50 }));
      expect(world.effects).toEqual(effects);
      expect(world.order).toMatchObject({ run: 50, dueAtMs: becomesDueAtMs });
    },
  );

  test('what is owed asks the compensation queue, and changes nothing itself', async () => {
    const order = orderIn('ORDER_CANCELLED', OWES_STOCK);
    const world = new World(order);
    await redriven(world, compensationLetter());
    expect(world.compensations).toEqual([REQUEST]);
    expect(world.effects).toEqual(['request compensation ord_1']);
    expect(world.order).toEqual(order);
  });

  test('what a former payment owes names it', async () => {
    const world = new World(
      orderIn('PAYMENT_DONE'),
      owesRefund(),
      paymentIn('CAPTURED', { paymentId: 'pay_2' }),
    );
    await redriven(world, compensationLetter({ paymentId: 'pay_1' }));
    expect(world.compensations).toEqual([{ ...REQUEST, paymentId: 'pay_1' }]);
  });

  test('an acknowledgement sends it to its queue', async () => {
    const world = new World(orderIn('PAYMENT_IN_PROGRESS'), paymentIn('PENDING'));
    await redriven(world, acknowledgementLetter());
    expect(world.effects).toEqual(['acknowledgement evt_1']);
  });

  test.each([
    ['settled', orderIn('PAYMENT_DONE'), sagaLetter()],
    ['unknown', orderIn('PAYMENT_DONE'), sagaLetter({ orderId: 'ord_9' })],
  ])('what is %s has no effect', async (_what, order, letter) => {
    const world = new World(order, paymentIn('CAPTURED'));
    await redriven(world, letter);
    expect(world.effects).toEqual([]);
  });

  test('fails where its effect fails, so that the letter stays', async () => {
    const world = new World(orderIn('ORDER_CANCELLED', OWES_STOCK));
    world.failAt('request compensation', new InfrastructureUnavailable('No queue.'));
    await expect(redriven(world, compensationLetter())).rejects.toBeInstanceOf(
      InfrastructureUnavailable,
    );
  });

  test('fails where others write the order again and again', async () => {
    const world = new World(orderIn('ORDER_FAILED', EXHAUSTED));
    world.failAt('save order', new ConcurrentUpdate('Taken.'));
    await expect(redriven(world, sagaLetter())).rejects.toBeInstanceOf(ConcurrentUpdate);
  });
});
