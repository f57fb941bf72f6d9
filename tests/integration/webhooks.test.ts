import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { signatureOf } from '../../lib/payments/signatures.ts';
import {
  after,
  answerWith,
  databaseCall,
  dieAfter,
  dieBefore,
  type Fault,
  httpCall,
  inject,
  queueCall,
  refuseConnection,
  stateMachineCall,
} from '../support/faults.ts';
import { expectPromisesAtRest, snapshotOf } from '../support/invariants.ts';
import { chargedLate } from '../support/late.ts';
import { Scene } from '../support/scene.ts';
import { type Answer, call, chargesOf, stockLine } from '../support/shop.ts';
import { asTimeGoesOn, eventually, executions, messagesIn } from '../support/stack.ts';

const ACK_TIMEOUT_MS = 180_000;
const DISPATCH_AFTER_MS = 30_000;

const scene = new Scene({
  // The schedule never runs by itself; the tests run its functions.
  SCHEDULE_SECONDS: '3600',
  // The state during a rotation: the gateway still signs with the first secret.
  WEBHOOK_SECRETS: 'whsec_old_0123456789, whsec_new_0123456789',
});

const oldSecret = (): string => secretAt(0);
const newSecret = (): string => secretAt(1);

function secretAt(index: number): string {
  return scene.stack.environment['WEBHOOK_SECRETS']?.split(',')[index]?.trim() ?? '';
}

/** Unique to this run, because the service remembers handled events. */
const RUN = randomUUID();
let events = 0;

function eventOf(
  { orderId, paymentId }: { readonly orderId: string; readonly paymentId: string },
  status: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  events += 1;
  return {
    eventId: `evt_${RUN}_${String(events)}`,
    type: 'charge.updated',
    paymentId,
    orderId,
    status,
    occurredAt: new Date(scene.stack.clock.now()).toISOString(),
    ...more,
  };
}

/** Sends an event as the gateway does. */
function deliver(event: unknown, secret = oldSecret()): Promise<Answer> {
  const body = JSON.stringify(event);
  return post(body, signatureOf(body, [secret], scene.stack.clock.now()));
}

function post(body: string, signature: string | undefined): Promise<Answer> {
  const headers = signature === undefined ? {} : { 'x-gateway-signature': signature };
  return call(scene.stack, 'POST', '/payment/webhook', headers, body);
}

async function delivered(event: unknown): Promise<void> {
  const answer = await deliver(event);
  expect(answer.status, answer.text).toBe(202);
}

/** Number of the payment's acknowledgements that the consumer has handled. */
function handled(paymentId: string): number {
  return scene.stack
    .logs()
    .filter(
      (line) => line.includes('"message":"AcknowledgementHandled"') && line.includes(paymentId),
    ).length;
}

/** Number of signed events that named no payment. */
function counted(): number {
  const isCounted = (line: string) => line.includes('"message":"EventNotUnderstood"');
  return scene.stack.logs().filter(isCounted).length;
}

async function untilHandled(paymentId: string, times: number): Promise<void> {
  await eventually(() => {
    expect(handled(paymentId)).toBe(times);
  });
}

async function chargeStatuses(orderId: string): Promise<string[]> {
  return (await chargesOf(scene.stack, orderId)).map(({ status }) => status);
}

async function expectPayment(paymentId: string, ...statuses: string[]): Promise<void> {
  const { history } = await scene.user.payment(paymentId);
  expect(history.map(({ to }) => to)).toEqual(statuses);
}

/** An order whose payment was captured, but whose answer was lost: the saga waits. */
async function waiting(token = 'tok_ack_lost'): Promise<{ orderId: string; paymentId: string }> {
  const { orderId } = await scene.user.reserved(scene.productId);
  const { paymentId } = (await scene.user.pay(orderId, token)).payment;
  await eventually(() => expectPayment(paymentId, 'INITIATED', 'PENDING'));
  return { orderId, paymentId };
}

describe('a payment that the gateway acknowledges', () => {
  test('within a second is paid while its user waits', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const answer = await scene.user.pay(orderId, 'tok_async', { wait: 10 });
    expect(answer.summary).toBe('200 CAPTURED');
    await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
    await expectPayment(answer.payment.paymentId, 'INITIATED', 'PENDING', 'CAPTURED');
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });

  test('twice is charged once and has one effect', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const answer = await scene.user.pay(orderId, 'tok_ack_twice', { wait: 10 });
    expect(answer.summary).toBe('200 CAPTURED');
    const { paymentId } = answer.payment;
    await untilHandled(paymentId, 2);
    await expectPayment(paymentId, 'INITIATED', 'PENDING', 'CAPTURED');
    expect(await scene.user.expectStatus(orderId, 'PAYMENT_DONE')).toMatchObject({ refunds: [] });
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });

  test('after the time-out is paid by then, and the acknowledgement is harmless', async () => {
    const { orderId, paymentId } = await waiting('tok_ack_late');
    await scene.stack.clock.advance(ACK_TIMEOUT_MS + 1000);
    const done = await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect(handled(paymentId)).toBe(0);

    await scene.stack.clock.advance(10_000);
    await untilHandled(paymentId, 1);

    expect(await scene.user.order(orderId)).toEqual(done);
    await expectPayment(paymentId, 'INITIATED', 'PENDING', 'CAPTURED');
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });

  test('as declined rolls everything back at once', async () => {
    const paid = await waiting('tok_never_captured');
    const { amount } = await scene.user.payment(paid.paymentId);
    const declined = { ...paid, amount, status: 'DECLINED', code: 'INSUFFICIENT_FUNDS' };
    inject(scene.stack, {
      on: httpCall('GET', '/gateway/charges/'),
      act: answerWith(200, {}, declined),
    });
    await delivered(eventOf(paid, 'DECLINED'));
    const order = await eventually(() => scene.user.expectStatus(paid.orderId, 'PAYMENT_FAILED'));
    expect(order).toMatchObject({ reason: 'INSUFFICIENT_FUNDS', refunds: [] });
    await expectPayment(paid.paymentId, 'INITIATED', 'PENDING', 'DECLINED');
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
    // The simulator never declines a pending charge, so the test voids it to come to rest.
    await fetch(`${scene.stack.companionUrl}/gateway/charges/${paid.paymentId}/void`, {
      method: 'POST',
    });
  });

  test('many times at once, with one event id and with several, has one effect', async () => {
    const paid = await waiting();
    const repeated = eventOf(paid, 'CAPTURED');
    const answers = await Promise.all([
      ...[1, 2, 3, 4].map(() => deliver(repeated)),
      ...[1, 2, 3].map(() => deliver(eventOf(paid, 'CAPTURED'))),
      deliver(eventOf(paid, 'DECLINED')).then(() => deliver(eventOf(paid, 'CAPTURED'))),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    await untilHandled(paid.paymentId, 9);
    const { payments } = await snapshotOf(scene.stack);
    const stored = payments.find(({ paymentId }) => paymentId === paid.paymentId);
    expect(['CAPTURED', 'REFUNDED']).toContain(stored?.status);
    await eventually(() => scene.user.expectStatus(paid.orderId, 'PAYMENT_DONE', 'PAYMENT_FAILED'));
  });

  test('as captured, while the gateway itself says that it is pending, gives no goods', async () => {
    const paid = await waiting('tok_never_captured');
    await delivered(eventOf(paid, 'CAPTURED', { amount: { amount: 1000, currency: 'EUR' } }));
    await untilHandled(paid.paymentId, 1);
    await expectPayment(paid.paymentId, 'INITIATED', 'PENDING');
    await scene.user.expectStatus(paid.orderId, 'PAYMENT_IN_PROGRESS');
    // Not paid in time, it is voided.
    await scene.stack.clock.advance(ACK_TIMEOUT_MS + 1000);
    await eventually(() => scene.user.expectStatus(paid.orderId, 'PAYMENT_FAILED'));
    expect(await chargeStatuses(paid.orderId)).toEqual(['VOIDED']);
  });

  test('as captured, with its own amount, is believed only for what the gateway captured', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(scene.stack, {
      on: httpCall('POST', '/gateway/charges$'),
      act: async (proceed) => {
        await proceed();
        throw new TypeError('fetch failed');
      },
    });
    const { paymentId } = (await scene.user.pay(orderId, 'tok_wrong_amount')).payment;
    await eventually(() => expectPayment(paymentId, 'INITIATED', 'PENDING'));
    const right = { amount: { amount: 1000, currency: 'EUR' } };
    await delivered(eventOf({ orderId, paymentId }, 'CAPTURED', right));
    const order = await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
    expect(order.reason).toBe('AMOUNT_MISMATCH');
    await eventually(async () => {
      expect(await chargeStatuses(orderId)).toEqual(['REFUNDED']);
    });
  });

  test('out of order stays captured', async () => {
    const paid = await waiting();
    await delivered(eventOf(paid, 'CAPTURED'));
    await eventually(() => scene.user.expectStatus(paid.orderId, 'PAYMENT_DONE'));
    const before = await scene.user.order(paid.orderId);
    for (const status of ['PENDING', 'DECLINED', 'VOIDED']) await delivered(eventOf(paid, status));
    await untilHandled(paid.paymentId, 4);
    await expectPayment(paid.paymentId, 'INITIATED', 'PENDING', 'CAPTURED');
    expect(await scene.user.order(paid.orderId)).toEqual(before);
  });
});

describe('an acknowledgement before the charge step knows', () => {
  /** Captures at the gateway, acknowledges, and waits until that is stored. */
  async function capturedAndStored(orderId: string): Promise<void> {
    const { paymentId } = await scene.user.order(orderId);
    if (paymentId === null) throw new Error('There is no payment yet.');
    await fetch(`${scene.stack.companionUrl}/gateway/charges`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': paymentId },
      body: JSON.stringify({
        orderId,
        amount: { amount: 1000, currency: 'EUR' },
        paymentMethod: { token: 'tok_ok' },
      }),
    });
    await delivered(eventOf({ orderId, paymentId }, 'CAPTURED'));
    await eventually(() => expectPayment(paymentId, 'INITIATED', 'CAPTURED'));
  }

  test.each<[string, Fault['on'], number, boolean]>([
    ['before the saga is woken', stateMachineCall('SendTaskSuccess'), 0, false],
    ['before it extends the reservation', httpCall('POST', '/extend$'), 0, true],
    ['before it charges', httpCall('POST', '/gateway/charges$'), 0, false],
  ])('%s: the payment is found settled and confirmed', async (_when, on, charges, isLate) => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const late = isLate ? [chargedLate(orderId)] : [];
    const asked = inject(
      scene.stack,
      ...late,
      { on, times: 1, act: after(() => capturedAndStored(orderId)) },
      { on: httpCall('POST', '/gateway/charges$'), act: (proceed) => proceed() },
    );
    const answer = await scene.user.pay(orderId, 'tok_ok', { wait: 10 });
    expect(answer.summary).toBe('200 CAPTURED');
    expect(asked.strikes).toBe(1 + charges + late.length);
    await expectPayment(answer.payment.paymentId, 'INITIATED', 'CAPTURED');
    await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });

  test('while the answer to the charge is lost: nobody waits for the time-out', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(scene.stack, {
      on: httpCall('POST', '/gateway/charges$'),
      times: 1,
      act: async () => {
        await capturedAndStored(orderId);
        throw new TypeError('fetch failed');
      },
    });
    expect((await scene.user.pay(orderId, 'tok_ok', { wait: 10 })).summary).toBe('200 CAPTURED');
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
  });
});

describe('a capture of a payment that was given up', () => {
  test('is refunded exactly once, and order and payment show it', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(
      scene.stack,
      { on: httpCall('GET', '/gateway/charges/'), act: refuseConnection },
      { on: httpCall('POST', '/void$'), act: refuseConnection },
    );
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ack_lost')).payment;
    const failed = await asTimeGoesOn(
      scene.stack,
      () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'),
      {
        stepSeconds: 15,
      },
    );
    expect(failed).toMatchObject({ reason: 'PAYMENT_UNCONFIRMED', refunds: [] });
    expect(await chargeStatuses(orderId)).toEqual(['CAPTURED']);
    const event = eventOf({ orderId, paymentId }, 'CAPTURED');
    // It can be asked again, though its void still fails.
    inject(scene.stack, { on: httpCall('POST', '/void$'), act: refuseConnection });

    await delivered(event);
    await eventually(() =>
      expectPayment(paymentId, 'INITIATED', 'PENDING', 'FAILED', 'CAPTURED', 'REFUNDED'),
    );
    await delivered(event);
    await delivered(eventOf({ orderId, paymentId }, 'CAPTURED'));
    await delivered(eventOf({ orderId, paymentId }, 'REFUNDED'));
    await untilHandled(paymentId, 4);

    expect(await chargeStatuses(orderId)).toEqual(['REFUNDED']);
    expect(await scene.user.payment(paymentId)).toMatchObject({
      status: 'REFUNDED',
      code: 'LATE_CAPTURE',
    });
    const order = await scene.user.expectStatus(orderId, 'PAYMENT_FAILED');
    expect(order.refunds).toEqual([
      expect.objectContaining({ paymentId, amount: { amount: 1000, currency: 'EUR' } }),
    ]);
    expect(await stockLine(scene.stack, scene.productId)).toBe('10/0/0');
  });
});

describe('when the saga is not told', () => {
  const settles: Fault['on'] = databaseCall('PutItem', 'orders');

  test.each<[string, Fault]>([
    ['the signal is lost', { on: stateMachineCall('SendTaskSuccess'), act: refuseConnection }],
    [
      'the consumer dies before it signals',
      { on: stateMachineCall('SendTaskSuccess'), act: dieBefore },
    ],
    ['the consumer dies right after its write', { on: settles, act: dieAfter }],
  ])('because %s, the dispatcher tells it soon', async (_why, fault) => {
    const paid = await waiting();
    // The dispatcher has looked already, and comes again only after the payment's deadline.
    await scene.stack.clock.advance(DISPATCH_AFTER_MS + 1000);
    await scene.stack.runSchedules();
    const struck = inject(scene.stack, { ...fault, times: 1 });
    await delivered(eventOf(paid, 'CAPTURED'));
    await eventually(async () => {
      expect(struck.strikes).toBe(1);
      await expectPayment(paid.paymentId, 'INITIATED', 'PENDING', 'CAPTURED');
    });
    await scene.user.expectStatus(paid.orderId, 'PAYMENT_IN_PROGRESS');

    await scene.stack.clock.advance(DISPATCH_AFTER_MS + 1000);
    await scene.user.expectStatus(paid.orderId, 'PAYMENT_IN_PROGRESS');
    await scene.stack.runSchedules();

    await eventually(() => scene.user.expectStatus(paid.orderId, 'PAYMENT_DONE'));
    await eventually(async () => {
      const runs = await executions(scene.stack, paid.orderId);
      expect(runs.map(({ status }) => status)).toEqual(['SUCCEEDED']);
    });
    expect(await chargeStatuses(paid.orderId)).toEqual(['CAPTURED']);
  });
});

describe('a webhook', () => {
  const body = JSON.stringify({
    eventId: 'evt_refused',
    type: 'charge.updated',
    paymentId: 'pay_nobody',
    orderId: 'ord_nobody',
    status: 'CAPTURED',
    occurredAt: '2026-03-01T12:00:00Z',
  });
  const signed = (offMs = 0, secret = oldSecret()) =>
    signatureOf(body, [secret], scene.stack.clock.now() + offMs);

  test.each<[string, () => Promise<Answer>]>([
    ['without a signature', () => post(body, undefined)],
    ['with an empty signature', () => post(body, '')],
    ['signed with another secret', () => post(body, signed(0, 'whsec_wrong_0123456789'))],
    ['with another body than was signed', () => post(`${body} `, signed())],
    ['signed more than five minutes ago', () => post(body, signed(-302_000))],
    ['signed more than five minutes ahead', () => post(body, signed(302_000))],
    ['that is neither signed nor JSON', () => post('{', 't=1,v1=00')],
  ])('%s is refused with 401, and nothing is queued', async (_what, send) => {
    const queued = inject(scene.stack, { on: queueCall('SendMessage'), act: refuseConnection });
    const answer = await send();
    expect(answer.summary).toBe('401 BAD_SIGNATURE');
    expect(answer.headers.get('x-amzn-remapped-www-authenticate')).toBe('Signature');
    expect(answer.problem.detail).toContain('X-Gateway-Signature');
    expect(queued.strikes).toBe(0);
  });

  test.each([
    ['no JSON', '{"eventId":'],
    ['nothing at all', ''],
    ['no event', '[]'],
    ['a ping', '{"type":"ping"}'],
    ['of another kind, of no payment', '{"type":"payout.created","payoutId":"po_1"}'],
    ['of a payment by another name', body.replace('paymentId', 'chargeId')],
    ['of a payment whose id can be none', body.replace('pay_nobody', ' ')],
  ])('that is signed and is %s is answered 202, counted, and not queued', async (_what, odd) => {
    const queued = inject(scene.stack, { on: queueCall('SendMessage'), act: refuseConnection });
    const before = counted();
    const answer = await post(odd, signatureOf(odd, [oldSecret()], scene.stack.clock.now()));
    expect([answer.status, answer.json]).toEqual([202, { accepted: true }]);
    expect(queued.strikes).toBe(0);
    expect(counted()).toBe(before + 1);
  });

  test.each<[string, (event: string) => string]>([
    ['of a type that nobody knows', (event) => event.replace('charge.updated', 'dispute.created')],
    ['of a status that nobody knows', (event) => event.replace('CAPTURED', 'MAYBE')],
    ['with a lower-case code', (event) => event.replace('{', '{"code":"insufficient_funds",')],
    ['after a byte order mark', (event) => `\uFEFF${event}`],
    ['with an offset in its time', (event) => event.replace('Z"', '+00:00"')],
    ['without a time', (event) => event.replace(/,"occurredAt":"[^"]*"/, '')],
    ['without an id', (event) => event.replace(/"eventId":"[^"]*",/, '')],
    ['over 64 KiB', (event) => event.padEnd(64 * 1024 + 1)],
  ])('%s makes the gateway be asked, too', async (_what, changed) => {
    const paid = await waiting();
    const event = changed(JSON.stringify(eventOf(paid, 'CAPTURED')));
    const answer = await post(event, signatureOf(event, [oldSecret()], scene.stack.clock.now()));
    expect(answer.status).toBe(202);
    await eventually(() => scene.user.expectStatus(paid.orderId, 'PAYMENT_DONE'));
  });

  test('may be signed with the new secret, and may say more than we know', async () => {
    const paid = await waiting();
    const event = eventOf(paid, 'CAPTURED', { livemode: false, note: 'Grüße' });
    const answer = await deliver(event, newSecret());
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({ accepted: true });
    await eventually(() => scene.user.expectStatus(paid.orderId, 'PAYMENT_DONE'));
  });

  test('that the queue does not take is answered 503, and comes again', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    const refused = inject(scene.stack, {
      on: queueCall('SendMessage'),
      times: 3,
      act: refuseConnection,
    });
    const own = await deliver(eventOf({ orderId, paymentId: 'pay_nobody' }, 'PENDING'));
    expect(own.summary).toBe('503 TEMPORARILY_UNAVAILABLE');
    expect(own.headers.get('retry-after')).toBe('1');

    const answer = await scene.user.pay(orderId, 'tok_async', { wait: 10 });

    expect(answer.summary).toBe('200 CAPTURED');
    expect(refused.strikes).toBe(3);
    await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
  });

  test('of a payment that nobody knows ends in the dead-letter queue', async () => {
    const event = eventOf({ orderId: 'ord_nobody', paymentId: 'pay_nobody' }, 'CAPTURED');
    await delivered(event);
    await asTimeGoesOn(
      scene.stack,
      async () => {
        await scene.stack.pollQueues();
        const dead = messagesIn(scene.stack, 'AcknowledgementDeadLetterQueue');
        expect(dead).toEqual([
          {
            orderId: 'ord_nobody',
            correlationId: expect.any(String),
            step: 'handle-acknowledgement',
            error: 'UnknownPayment',
            at: expect.any(String),
            body: expect.any(String),
          },
        ]);
        const { body, correlationId } = dead[0] as { body: string; correlationId: string };
        const { status: _status, occurredAt: _occurredAt, ...read } = event;
        expect(JSON.parse(body)).toEqual({ ...read, receivedAs: correlationId });
      },
      { stepSeconds: 60, limitSeconds: 3600 },
    );
    expect(messagesIn(scene.stack, 'AcknowledgementQueue')).toEqual([]);
  });

  test('leaves neither its signature nor a secret in the log', () => {
    const log = scene.stack.logs().join('\n');
    expect(log).toContain('AcknowledgementHandled');
    expect(log).not.toMatch(/v1=|whsec_|livemode|tok_/);
  });
});

test('at the end every promise holds', async () => {
  await asTimeGoesOn(scene.stack, async () => {
    await scene.stack.runSchedules();
    const { orders } = await snapshotOf(scene.stack);
    expect(orders.filter(({ status }) => status === 'PENDING_PAYMENT')).toEqual([]);
  });
  await expectPromisesAtRest(scene.stack);
});
