import { afterEach, describe, expect, test } from 'vitest';
import { reservationWaitSeconds } from '../../statemachines/constants.ts';
import {
  dlqJson,
  expectNothingHidden,
  type Listed,
  lettersAbout,
  messagesAbout,
  type Redriven,
  redriveNamed,
} from '../support/dlq.ts';
import {
  answerWith,
  anyGatewayCall,
  anyInventoryCall,
  databaseCall,
  dieBefore,
  type Fault,
  firstWriteOfRun,
  heal,
  httpCall,
  inject,
  loseAnswer,
  queueCall,
  refuseConnection,
} from '../support/faults.ts';
import { expectPromisesAtRest, snapshotOf, storedOrder } from '../support/invariants.ts';
import { chargedLate } from '../support/late.ts';
import { Scene } from '../support/scene.ts';
import { chargesOf, type OrderDocument, stockLine } from '../support/shop.ts';
import { asTimeGoesOn, eventually, executions } from '../support/stack.ts';

const RESERVATION_TTL_SECONDS = 3600;

/** The dispatcher runs only if a test calls it, so that only the redrive moves an order on. */
const scene = new Scene({
  RESERVATION_TTL_SECONDS: String(RESERVATION_TTL_SECONDS),
  // Longer than all tries of an acknowledgement.
  PAYMENT_ACK_TIMEOUT_SECONDS: '900',
  SCHEDULE_SECONDS: '3600',
});

const placing = { headers: { 'x-correlation-id': 'shop-1' } };
const AT = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;

/** The exact error depends on the step's patience with Inventory. */
const OF_INVENTORY = expect.stringMatching(/^Inventory/) as string;

const writing = databaseCall('PutItem', 'orders');
const reserving = httpCall('PUT', '/inventory/reservation/');
const releasing = httpCall('DELETE', '/inventory/reservation/');
const charging = httpCall('POST', '/gateway/charges$');
const proceed: Fault['act'] = (go) => go();

/** From the first such call on, even if it fails, no PutItem on the orders table succeeds. */
function writesFailAfter(on: Fault['on'], act: Fault['act']): Fault[] {
  let isCalled = false;
  const callAndNote: Fault['act'] = async (go, effect) => {
    try {
      return await act(go, effect);
    } finally {
      isCalled = true;
    }
  };
  return [
    { on, act: callAndNote },
    { on: (effect) => isCalled && writing(effect), act: refuseConnection },
  ];
}

async function place(): Promise<string> {
  const items = [{ productId: scene.productId, quantity: 1 }];
  const placed = await scene.user.place(items, placing);
  expect(placed.status).toBe(202);
  return placed.order.orderId;
}

/** Waits for the order, however slowly the circuit breaker closes after the test before. */
async function reserved(): Promise<string> {
  const orderId = await place();
  await statusOf(orderId, 'PENDING_PAYMENT');
  return orderId;
}

function statusOf(orderId: string, ...statuses: readonly string[]): Promise<OrderDocument> {
  return asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, ...statuses), {
    limitSeconds: 3000,
  });
}

/** Lets time pass until a step has left its dead letter, then removes the faults. */
async function letterOf(orderId: string, queue: string, step: string): Promise<void> {
  await untilLetter(orderId, queue, step);
  heal(scene.stack);
}

async function untilLetter(orderId: string, queue: string, step: string): Promise<void> {
  await asTimeGoesOn(
    scene.stack,
    async () => {
      if (queue !== 'SagaDeadLetterQueue') await scene.stack.pollQueues();
      const steps = messagesAbout(scene.stack, queue, orderId).map((letter) => letter['step']);
      expect(steps).toContain(step);
    },
    { limitSeconds: 3000 },
  );
}

/** The only dead letter about an order, with all its facts. */
async function theLetter(orderId: string, facts: Partial<Listed>): Promise<Listed> {
  const letters = await lettersAbout(scene.stack, orderId);
  expect(letters).toEqual([
    {
      id: expect.any(String),
      queue: 'saga',
      since: AT,
      orderId,
      run: 1,
      correlationId: 'shop-1',
      step: expect.any(String),
      error: expect.any(String),
      redrive: expect.anything(),
      ...facts,
    },
  ]);
  const [letter] = letters;
  if (letter === undefined) throw new Error('There is none.');
  return letter;
}

async function paid(orderId: string): Promise<void> {
  await statusOf(orderId, 'PAYMENT_DONE');
  const charges = await chargesOf(scene.stack, orderId);
  expect(charges.map(({ status }) => status)).toEqual(['CAPTURED']);
  expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
}

async function payNow(orderId: string): Promise<void> {
  await scene.freshToken();
  expect((await scene.user.pay(orderId, 'tok_ok')).status).toBe(202);
  await paid(orderId);
}

/** Retries the payment as soon as the debt of the one before is settled. */
async function retryPaymentNow(orderId: string): Promise<void> {
  await scene.freshToken();
  await asTimeGoesOn(scene.stack, async () => {
    await scene.stack.pollQueues();
    expect((await scene.user.retryPayment(orderId, 'tok_ok')).status).toBe(202);
  });
  await statusOf(orderId, 'PAYMENT_DONE');
}

async function stockIsBack(): Promise<void> {
  await asTimeGoesOn(scene.stack, async () => {
    await scene.stack.pollQueues();
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });
}

async function runsOf(orderId: string): Promise<string[]> {
  return (await executions(scene.stack, orderId)).map(({ status }) => String(status));
}

afterEach(async () => {
  await expectPromisesAtRest(scene.stack);
});

describe('reserving the stock', () => {
  test('exhausted fails the order; redriven it runs again and is paid', async () => {
    inject(scene.stack, { on: anyInventoryCall, act: refuseConnection });
    const orderId = await place();
    await statusOf(orderId, 'ORDER_FAILED');
    await letterOf(orderId, 'SagaDeadLetterQueue', 'reserve-stock');
    const { id, redrive } = await theLetter(orderId, {
      step: 'reserve-stock',
      error: OF_INVENTORY,
    });
    expect(redrive).toEqual({ action: 'RUN_AGAIN', words: 'run the order again (run 2)' });

    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.pollQueues();
      expect(await storedOrder(scene.stack, orderId)).not.toHaveProperty('releaseOwed');
    });
    const before = await snapshotOf(scene.stack);
    const rehearsed = await dlqJson<{ letters: Redriven[] }>(
      scene.stack,
      'redrive',
      id,
      '--dry-run',
    );
    expect(rehearsed.letters).toMatchObject([{ id, redrive, outcome: 'WOULD_BE_DONE' }]);
    expect(await snapshotOf(scene.stack)).toEqual(before);
    expect(await lettersAbout(scene.stack, orderId)).toHaveLength(1);

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE RUN_AGAIN']);

    const order = await statusOf(orderId, 'PENDING_PAYMENT');
    expect(order.history.slice(-3).map(({ to, reason, by }) => `${to} ${reason} ${by}`)).toEqual([
      'CREATED ORDER_REDRIVEN operator',
      'PENDING_RESERVING_STOCK SAGA_STARTED ordersaga',
      'PENDING_PAYMENT STOCK_RESERVED ordersaga',
    ]);
    expect(await lettersAbout(scene.stack, orderId)).toEqual([]);
    await payNow(orderId);
  });

  test('put off for longer than the budget fails the order; redriven it is paid', async () => {
    inject(scene.stack, { on: reserving, act: answerWith(503, { 'retry-after': '25' }) });
    const orderId = await place();
    await statusOf(orderId, 'ORDER_FAILED');
    await letterOf(orderId, 'SagaDeadLetterQueue', 'reserve-stock');
    const { id } = await theLetter(orderId, { step: 'reserve-stock' });
    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE RUN_AGAIN']);
    await statusOf(orderId, 'PENDING_PAYMENT');
    await payNow(orderId);
  });

  test('exhausted before its first write leaves the order owed; redriven it moves on', async () => {
    inject(scene.stack, { on: firstWriteOfRun(), act: refuseConnection });
    const orderId = await place();
    await letterOf(orderId, 'SagaDeadLetterQueue', 'reserve-stock');
    await scene.user.expectStatus(orderId, 'CREATED');
    const { id, redrive } = await theLetter(orderId, { error: 'InfrastructureUnavailable' });
    expect(redrive.words).toContain('move the order on from CREATED');
    await eventually(async () => {
      expect(await runsOf(orderId)).toEqual(['SUCCEEDED']);
    });

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE MOVE_ON']);

    await statusOf(orderId, 'PENDING_PAYMENT');
    expect(await runsOf(orderId)).toEqual(['SUCCEEDED', 'RUNNING']);
    await payNow(orderId);
  });

  test('of a modification, exhausted, fails the order; redriven it holds the old items', async () => {
    const orderId = await reserved();
    inject(scene.stack, { on: anyInventoryCall, act: refuseConnection });
    await scene.user.modify(orderId, [{ productId: scene.productId, quantity: 5 }]);
    await statusOf(orderId, 'ORDER_FAILED');
    await letterOf(orderId, 'SagaDeadLetterQueue', 'reserve-stock');
    const { id } = await theLetter(orderId, { step: 'reserve-stock' });
    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE RUN_AGAIN']);
    const order = await statusOf(orderId, 'PENDING_PAYMENT');
    expect(order.items).toMatchObject([{ quantity: 1 }]);
    await payNow(orderId);
  });

  test('of a payment retry, exhausted, leaves it to the user; redriven it is only tidied up', async () => {
    const orderId = await reserved();
    await scene.user.pay(orderId, 'tok_declined', { wait: 10 });
    await statusOf(orderId, 'PAYMENT_FAILED');
    inject(scene.stack, { on: reserving, act: refuseConnection });
    await scene.user.retryPayment(orderId, 'tok_ok');
    await letterOf(orderId, 'SagaDeadLetterQueue', 'reserve-stock');
    await stockIsBack();
    const { id, redrive } = await theLetter(orderId, { step: 'reserve-stock', run: 2 });
    expect(redrive.words).toBe('only remove the letter: only its user can try the payment again');

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE NOTHING']);

    expect(await lettersAbout(scene.stack, orderId)).toEqual([]);
    await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    await retryPaymentNow(orderId);
  });

  test('whose refusal cannot be written leaves the order owed; redriven it is refused', async () => {
    inject(scene.stack, ...writesFailAfter(reserving, proceed));
    const items = [{ productId: scene.productId, quantity: 11 }];
    const { orderId } = (await scene.user.place(items, placing)).order;
    await letterOf(orderId, 'SagaDeadLetterQueue', 'reject-reservation');
    const { id } = await theLetter(orderId, {
      step: 'reject-reservation',
      error: 'InfrastructureUnavailable',
    });
    await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');

    await eventually(async () => {
      expect(await runsOf(orderId)).toEqual(['FAILED']);
    });
    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE MOVE_ON']);

    expect(await statusOf(orderId, 'INVALID')).toMatchObject({ reason: 'OUT_OF_STOCK' });
  });
});

describe('waiting for the payment', () => {
  test('that cannot begin leaves the order owed; redriven it waits and is paid', async () => {
    inject(scene.stack, ...writesFailAfter(reserving, proceed));
    const orderId = await place();
    await letterOf(orderId, 'SagaDeadLetterQueue', 'reject-reservation');
    const { id } = await theLetter(orderId, { error: 'InfrastructureUnavailable' });
    await eventually(async () => {
      expect(await runsOf(orderId)).toEqual(['FAILED']);
    });
    await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE MOVE_ON']);

    await statusOf(orderId, 'PENDING_PAYMENT');
    await payNow(orderId);
  });

  test('whose end cannot be written leaves the order owed; redriven it expires', async () => {
    const orderId = await reserved();
    inject(scene.stack, { on: writing, act: refuseConnection });
    await scene.stack.clock.advance(reservationWaitSeconds(RESERVATION_TTL_SECONDS) * 1000);
    await scene.freshToken();
    await letterOf(orderId, 'SagaDeadLetterQueue', 'expire-order');
    const { id } = await theLetter(orderId, { step: 'expire-order' });
    await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    await eventually(async () => {
      expect(await runsOf(orderId)).toEqual(['FAILED']);
    });

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE MOVE_ON']);

    expect(await statusOf(orderId, 'ORDER_FAILED')).toMatchObject({
      reason: 'RESERVATION_EXPIRED',
    });
    await stockIsBack();
  });
});

describe('charging', () => {
  test('blocked by Inventory ends without a charge; redriven it is only tidied up', async () => {
    const orderId = await reserved();
    inject(scene.stack, chargedLate(orderId), {
      on: httpCall('POST', '/extend$'),
      act: refuseConnection,
    });
    await scene.user.pay(orderId, 'tok_ok');
    await letterOf(orderId, 'SagaDeadLetterQueue', 'take-payment');
    await statusOf(orderId, 'PAYMENT_FAILED');
    const { id } = await theLetter(orderId, {
      step: 'take-payment',
      error: OF_INVENTORY,
    });
    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE NOTHING']);
    expect(await chargesOf(scene.stack, orderId)).toEqual([]);
    await retryPaymentNow(orderId);
  });

  test('refused by the gateway again and again is told at once, and found out later', async () => {
    const orderId = await reserved();
    inject(scene.stack, { on: charging, act: answerWith(503) });
    await scene.user.pay(orderId, 'tok_ok');
    await letterOf(orderId, 'SagaDeadLetterQueue', 'take-payment');
    const { id } = await theLetter(orderId, {
      step: 'take-payment',
      error: 'GatewayUnavailable',
    });

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE MOVE_ON']);

    await statusOf(orderId, 'PAYMENT_FAILED');
    await eventually(async () => {
      expect(await runsOf(orderId)).toEqual(['SUCCEEDED']);
    });
    await retryPaymentNow(orderId);
  });

  test('whose acknowledgement cannot even be waited for is asked about at once', async () => {
    const orderId = await reserved();
    inject(scene.stack, ...writesFailAfter(charging, loseAnswer));
    await scene.user.pay(orderId, 'tok_ok');
    await letterOf(orderId, 'SagaDeadLetterQueue', 'await-acknowledgement');
    await paid(orderId);
    const { id } = await theLetter(orderId, {
      step: 'await-acknowledgement',
      error: 'InfrastructureUnavailable',
    });
    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE NOTHING']);
    await paid(orderId);
  });

  test('that nobody can be asked about is given up; redriven the money goes back', async () => {
    const orderId = await reserved();
    inject(
      scene.stack,
      { on: charging, times: 1, act: loseAnswer },
      { on: anyGatewayCall, act: refuseConnection },
    );
    await scene.user.pay(orderId, 'tok_ok');
    await statusOf(orderId, 'PAYMENT_FAILED');
    await untilLetter(orderId, 'SagaDeadLetterQueue', 'settle-payment');
    const { id, redrive } = await theLetter(orderId, {
      step: 'settle-payment',
      error: 'GatewayUnknown',
    });
    expect(redrive.action).toBe('COMPENSATE');

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE COMPENSATE']);

    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      await scene.stack.pollQueues();
      expect((await chargesOf(scene.stack, orderId)).map(({ status }) => status)).toEqual([
        'REFUNDED',
      ]);
    });
    await retryPaymentNow(orderId);
  });

  test('that cannot even be given up leaves the order owed; redriven it is paid, once', async () => {
    const orderId = await reserved();
    inject(
      scene.stack,
      { on: charging, times: 1, act: loseAnswer },
      ...writesFailAfter(anyGatewayCall, refuseConnection),
    );
    await scene.user.pay(orderId, 'tok_ok');
    await letterOf(orderId, 'SagaDeadLetterQueue', 'give-up-payment');
    const { id } = await theLetter(orderId, {
      step: 'give-up-payment',
      error: 'InfrastructureUnavailable',
    });
    await scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');
    await eventually(async () => {
      expect(await runsOf(orderId)).toEqual(['FAILED']);
    });

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE MOVE_ON']);

    await paid(orderId);
  });

  test('that cannot be confirmed leaves the order owed; redriven it is paid', async () => {
    const orderId = await reserved();
    inject(scene.stack, { on: httpCall('POST', '/confirm$'), act: refuseConnection });
    await scene.user.pay(orderId, 'tok_ok');
    await letterOf(orderId, 'SagaDeadLetterQueue', 'confirm-order');
    const { id } = await theLetter(orderId, {
      step: 'confirm-order',
      error: OF_INVENTORY,
    });
    await eventually(async () => {
      expect(await runsOf(orderId)).toEqual(['FAILED']);
    });

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE MOVE_ON']);

    await paid(orderId);
    expect((await scene.user.order(orderId)).refunds).toEqual([]);
  });
});

describe('compensating', () => {
  const compensationQueue: Fault['on'] = (effect) =>
    queueCall('SendMessage')(effect) && effect.target.endsWith('-compensation');

  async function declined(...faults: readonly Fault[]): Promise<string> {
    const orderId = await reserved();
    inject(scene.stack, { on: releasing, act: refuseConnection }, ...faults);
    await scene.user.pay(orderId, 'tok_declined');
    return orderId;
  }

  test('that not even its queue takes leaves a letter; redriven the queue is asked', async () => {
    const orderId = await declined({ on: compensationQueue, act: refuseConnection });
    await letterOf(orderId, 'SagaDeadLetterQueue', 'queue-compensation');
    const { id } = await theLetter(orderId, {
      step: 'queue-compensation',
      error: 'InfrastructureUnavailable',
    });
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/1/0');

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE COMPENSATE']);

    await stockIsBack();
    await retryPaymentNow(orderId);
  });

  test('that even its queue cannot finish leaves a letter; redriven it is finished', async () => {
    const orderId = await declined();
    await letterOf(orderId, 'CompensationDeadLetterQueue', 'retry-compensation');
    const { id, redrive } = await theLetter(orderId, {
      queue: 'compensation',
      step: 'retry-compensation',
      error: OF_INVENTORY,
    });
    expect(redrive.action).toBe('COMPENSATE');

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE COMPENSATE']);

    await stockIsBack();
    await eventually(async () => {
      expect(await storedOrder(scene.stack, orderId)).not.toHaveProperty('releaseOwed');
    });
    expect(await lettersAbout(scene.stack, orderId)).toEqual([]);
  });

  test('whose consumer dies at every try is moved by the queue itself; redriven it is finished', async () => {
    const orderId = await declined();
    await asTimeGoesOn(scene.stack, async () => {
      expect(messagesAbout(scene.stack, 'CompensationQueue', orderId)).toHaveLength(1);
      return Promise.resolve();
    });
    inject(scene.stack, { on: releasing, act: dieBefore });
    await asTimeGoesOn(
      scene.stack,
      async () => {
        await scene.stack.pollQueues();
        expect(messagesAbout(scene.stack, 'CompensationDeadLetterQueue', orderId)).toEqual([
          { orderId, run: 1, correlationId: 'shop-1' },
        ]);
      },
      { stepSeconds: 60, limitSeconds: 6000 },
    );
    heal(scene.stack);
    const { id } = await theLetter(orderId, { queue: 'compensation', step: null, error: null });

    expect(await redriveNamed(scene.stack, id)).toEqual(['DONE COMPENSATE']);

    await stockIsBack();
  });
});

test('an acknowledgement that cannot be recorded leaves a letter; redriven the order is paid', async () => {
  const orderId = await reserved();
  // The payment has begun and the saga waits, but the payment's result at the gateway cannot be stored.
  inject(
    scene.stack,
    { on: writing, times: 2, act: proceed },
    { on: writing, act: refuseConnection },
  );
  await scene.user.pay(orderId, 'tok_async');
  await letterOf(orderId, 'AcknowledgementDeadLetterQueue', 'handle-acknowledgement');
  await scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');
  const { id } = await theLetter(orderId, {
    queue: 'acknowledgement',
    step: 'handle-acknowledgement',
    error: 'InfrastructureUnavailable',
  });

  expect(await redriveNamed(scene.stack, id)).toEqual(['DONE ACKNOWLEDGE']);

  await asTimeGoesOn(scene.stack, async () => {
    await scene.stack.pollQueues();
    await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
  });
  await paid(orderId);
  expect(await lettersAbout(scene.stack, orderId)).toEqual([]);
});

test('redriving everything again and again, by several at once, does no harm', async () => {
  inject(scene.stack, { on: anyInventoryCall, act: refuseConnection });
  const orderId = await place();
  await statusOf(orderId, 'ORDER_FAILED');
  await letterOf(orderId, 'SagaDeadLetterQueue', 'reserve-stock');

  await Promise.all([
    dlqJson(scene.stack, 'redrive'),
    dlqJson(scene.stack, 'redrive'),
    dlqJson(scene.stack, 'redrive'),
  ]);
  await statusOf(orderId, 'PENDING_PAYMENT');
  await dlqJson(scene.stack, 'redrive');

  expect(await storedOrder(scene.stack, orderId)).toMatchObject({ run: 2, revision: 2 });
  await payNow(orderId);
  await expectNothingHidden(scene.stack);
});

test('at the end every promise holds', async () => {
  await dlqJson(scene.stack, 'redrive');
  await scene.inTime(async () => {
    const { orders } = await snapshotOf(scene.stack);
    expect(orders.filter(({ status }) => status === 'PENDING_PAYMENT')).toEqual([]);
  });
  await expectPromisesAtRest(scene.stack);
});
