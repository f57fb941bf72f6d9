import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Companion } from '../../../local/companion/server.ts';
import { send, startTestCompanion, TestPayment } from './support.ts';

const COPIES = Array.from({ length: 20 }, (_, index) => index);

let companion: Companion;

beforeAll(async () => {
  companion = await startTestCompanion();
});

afterAll(() => companion.stop());

function newPayment(orderId?: string): TestPayment {
  return new TestPayment(companion, orderId);
}

describe('charging with each payment method token', () => {
  it('captures tok_ok at once', async () => {
    const payment = newPayment();
    const { status, contentType, body } = await payment.charge('tok_ok');
    expect(status).toBe(200);
    expect(contentType).toBe('application/json');
    expect(body).toEqual({
      chargeId: expect.stringMatching(/^ch_/) as unknown,
      paymentId: payment.paymentId,
      orderId: payment.orderId,
      amount: { amount: 1299, currency: 'EUR' },
      status: 'CAPTURED',
    });
  });

  it.each([
    ['tok_declined', 'DECLINED'],
    ['tok_insufficient_funds', 'INSUFFICIENT_FUNDS'],
    ['tok_nobody_knows', 'INVALID_PAYMENT_METHOD'],
    ['constructor', 'INVALID_PAYMENT_METHOD'],
  ])('declines %s definitely, with code %s', async (token, code) => {
    const payment = newPayment();
    const first = await payment.charge(token);
    expect(first).toMatchObject({ status: 200, body: { status: 'DECLINED', code } });
    expect((await payment.charge(token)).body).toEqual(first.body);
    expect((await payment.query()).body).toEqual(first.body);
  });

  it.each([['tok_ack_lost'], ['tok_ack_late']])(
    'captures %s but cuts every answer',
    async (token) => {
      const payment = newPayment();
      await expect(payment.charge(token)).rejects.toThrow('fetch failed');
      await expect(payment.charge(token)).rejects.toThrow('fetch failed');
      expect(await payment.query()).toMatchObject({ status: 200, body: { status: 'CAPTURED' } });
      expect((await payment.listOrder()).body).toMatchObject({ charges: [{ status: 'CAPTURED' }] });
    },
  );

  it('still cuts the charge of tok_ack_lost after its refund', async () => {
    const payment = newPayment();
    await expect(payment.charge('tok_ack_lost')).rejects.toThrow('fetch failed');
    expect((await payment.refund()).body).toMatchObject({ status: 'REFUNDED' });
    await expect(payment.charge('tok_ack_lost')).rejects.toThrow('fetch failed');
    expect((await payment.query()).body).toMatchObject({ status: 'REFUNDED' });
  });

  it.each([['tok_never_captured'], ['tok_async'], ['tok_ack_twice']])(
    'answers %s pending',
    async (token) => {
      const payment = newPayment();
      const first = await payment.charge(token);
      expect(first).toMatchObject({ status: 200, body: { status: 'PENDING' } });
      expect((await payment.charge(token)).body).toEqual(first.body);
      expect((await payment.query()).body).toEqual(first.body);
    },
  );

  it('answers tok_gateway_down 503 without Retry-After and records nothing', async () => {
    const payment = newPayment();
    const answers = await Promise.all(COPIES.map(() => payment.charge('tok_gateway_down')));
    for (const { status, headers, contentType, body } of answers) {
      expect(status).toBe(503);
      expect(headers.has('retry-after')).toBe(false);
      expect(contentType).toBe('application/problem+json');
      expect(body).toMatchObject({ code: 'GATEWAY_UNAVAILABLE' });
    }
    expect((await payment.query()).status).toBe(404);
  });

  it('lets a payment that met tok_gateway_down be voided', async () => {
    const payment = newPayment();
    await payment.charge('tok_gateway_down');
    expect(await payment.void()).toMatchObject({ status: 200, body: { status: 'VOIDED' } });
  });

  it('answers tok_flaky 503 twice for each payment id, then captures', async () => {
    const payment = newPayment();
    const other = newPayment();
    expect((await payment.charge('tok_flaky')).status).toBe(503);
    expect((await other.charge('tok_flaky')).status).toBe(503);
    expect((await payment.charge('tok_flaky')).status).toBe(503);
    expect((await payment.query()).status).toBe(404);
    expect((await payment.charge('tok_flaky')).body).toMatchObject({ status: 'CAPTURED' });
    expect((await other.charge('tok_flaky')).status).toBe(503);
    expect((await payment.charge('tok_flaky')).body).toMatchObject({ status: 'CAPTURED' });
  });
});

describe('idempotency by payment id', () => {
  it('replays the recorded charge and its current state', async () => {
    const payment = newPayment();
    const first = await payment.charge('tok_ok');
    expect(await payment.charge('tok_ok')).toMatchObject({ status: 200, body: first.body });
    await payment.refund();
    expect((await payment.charge('tok_ok')).body).toEqual({
      ...(first.body as object),
      status: 'REFUNDED',
    });
  });

  it('charges once when twenty calls with one key arrive together', async () => {
    const payment = newPayment();
    const answers = await Promise.all(COPIES.map(() => payment.charge('tok_ok')));
    const [first] = answers;
    expect(first?.body).toMatchObject({ status: 'CAPTURED' });
    for (const answer of answers) expect(answer.body).toEqual(first?.body);
    expect((await payment.listOrder()).body).toMatchObject({
      charges: [{ paymentId: payment.paymentId, status: 'CAPTURED' }],
    });
  });

  it('refuses two of twenty concurrent tok_flaky calls and captures once', async () => {
    const payment = newPayment();
    const answers = await Promise.all(COPIES.map(() => payment.charge('tok_flaky')));
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(2);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(18);
    expect((await payment.listOrder()).body).toMatchObject({ charges: [{ status: 'CAPTURED' }] });
  });

  it.each([
    ['order', { orderId: 'order-of-somebody-else' }],
    ['amount', { amount: { amount: 1300, currency: 'EUR' } }],
    ['currency', { amount: { amount: 1299, currency: 'USD' } }],
  ])('refuses the same key with another %s', async (_field, overrides) => {
    const payment = newPayment();
    const first = await payment.charge('tok_ok');
    expect(await payment.charge('tok_ok', overrides)).toMatchObject({
      status: 422,
      contentType: 'application/problem+json',
      body: { code: 'IDEMPOTENCY_CONFLICT', status: 422 },
    });
    expect((await payment.query()).body).toEqual(first.body);
  });
});

describe('void', () => {
  it('turns a pending charge into a voided one, and repeating it is harmless', async () => {
    const payment = newPayment();
    const { body: charged } = await payment.charge('tok_never_captured');
    const voided = { ...(charged as object), status: 'VOIDED' };
    expect(await payment.void()).toMatchObject({ status: 200, body: voided });
    expect(await payment.void()).toMatchObject({ status: 200, body: voided });
    expect((await payment.charge('tok_ok')).body).toEqual(voided);
  });

  it('leaves a tombstone for an unknown payment id that no late charge gets past', async () => {
    const payment = newPayment();
    const tombstone = {
      chargeId: null,
      paymentId: payment.paymentId,
      orderId: payment.orderId,
      amount: payment.amount,
      status: 'VOIDED',
    };
    const voided = await payment.void({ orderId: payment.orderId, amount: payment.amount });
    expect(voided).toMatchObject({ status: 200, body: tombstone });
    for (const token of ['tok_ok', 'tok_ack_lost', 'tok_flaky', 'tok_gateway_down']) {
      const late = await payment.charge(token);
      expect(late.status).toBe(200);
      expect(late.body).toEqual(tombstone);
    }
    expect((await payment.query()).body).toEqual(tombstone);
  });

  it('needs no body; the late charge says what the tombstone is for', async () => {
    const payment = newPayment();
    expect((await payment.void()).body).toMatchObject({ orderId: null, amount: null });
    expect((await payment.charge('tok_ok')).body).toMatchObject({
      chargeId: null,
      orderId: payment.orderId,
      amount: payment.amount,
      status: 'VOIDED',
    });
  });

  it('stops a flaky payment between two of its refusals', async () => {
    const payment = newPayment();
    await payment.charge('tok_flaky');
    await payment.void();
    await payment.charge('tok_flaky');
    await payment.charge('tok_flaky');
    expect((await payment.query()).body).toMatchObject({ chargeId: null, status: 'VOIDED' });
  });

  it('leaves a captured, declined or refunded charge as it is', async () => {
    const captured = newPayment();
    await captured.charge('tok_ok');
    expect(await captured.void()).toMatchObject({ status: 200, body: { status: 'CAPTURED' } });
    await captured.refund();
    expect(await captured.void()).toMatchObject({ status: 200, body: { status: 'REFUNDED' } });

    const declined = newPayment();
    await declined.charge('tok_declined');
    expect(await declined.void()).toMatchObject({
      status: 200,
      body: { status: 'DECLINED', code: 'DECLINED' },
    });
  });

  it('racing with charges has one winner that every caller agrees with', async () => {
    const payment = newPayment();
    const answers = await Promise.all(
      COPIES.map((index) => (index % 2 === 0 ? payment.charge('tok_ok') : payment.void())),
    );
    const { body: settled } = await payment.query();
    const { status } = settled as { status: string };
    expect(['CAPTURED', 'VOIDED']).toContain(status);
    for (const answer of answers) expect(answer.body).toMatchObject({ status });
    const { body: list } = await payment.listOrder();
    expect((list as { charges: unknown[] }).charges).toHaveLength(status === 'CAPTURED' ? 1 : 0);
  });
});

describe('refund', () => {
  it('gives a captured charge back once, however many ask together', async () => {
    const payment = newPayment();
    const { body: charged } = await payment.charge('tok_ok');
    const answers = await Promise.all(COPIES.map(() => payment.refund()));
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ ...(charged as object), status: 'REFUNDED' });
    }
    expect((await payment.listOrder()).body).toMatchObject({ charges: [{ status: 'REFUNDED' }] });
  });

  it.each([['tok_declined'], ['tok_never_captured']])('refuses a charge of %s', async (token) => {
    const payment = newPayment();
    const { body: charged } = await payment.charge(token);
    expect(await payment.refund()).toMatchObject({ status: 409, body: { code: 'NOT_CAPTURED' } });
    expect((await payment.query()).body).toEqual(charged);
  });

  it('refuses a tombstone', async () => {
    const payment = newPayment();
    await payment.void();
    expect(await payment.refund()).toMatchObject({ status: 409, body: { code: 'NOT_CAPTURED' } });
  });

  it('does not know a payment that was never charged', async () => {
    expect(await newPayment().refund()).toMatchObject({
      status: 404,
      body: { code: 'UNKNOWN_PAYMENT' },
    });
  });
});

describe('query', () => {
  it('does not know a payment that was never charged', async () => {
    expect(await newPayment().query()).toMatchObject({
      status: 404,
      contentType: 'application/problem+json',
      body: { code: 'UNKNOWN_PAYMENT' },
    });
  });

  it('finds a payment id that needs encoding in the path', async () => {
    const body = {
      orderId: 'order-1',
      amount: { amount: 1, currency: 'EUR' },
      paymentMethod: { token: 'tok_ok' },
    };
    const headers = { 'idempotency-key': 'order/1 #2?' };
    await send(`${companion.url}/gateway/charges`, { method: 'POST', headers, body });
    const path = `/gateway/charges/${encodeURIComponent('order/1 #2?')}`;
    expect((await send(`${companion.url}${path}`)).body).toMatchObject({
      paymentId: 'order/1 #2?',
    });
  });
});

describe('the list of an order', () => {
  it('shows what was really charged, oldest first, and nothing of other orders', async () => {
    const first = newPayment();
    const inOrder = (): TestPayment => newPayment(first.orderId);
    const [second, third, neverCharged, refunded] = [inOrder(), inOrder(), inOrder(), inOrder()];
    await neverCharged.void({ orderId: first.orderId, amount: first.amount });
    await first.charge('tok_declined');
    await newPayment().charge('tok_ok');
    await second.charge('tok_never_captured');
    await refunded.charge('tok_ok');
    await third.charge('tok_ok');
    await second.void();
    await refunded.refund();

    const listed = (payment: TestPayment, status: string): unknown => ({
      chargeId: expect.stringMatching(/^ch_/) as unknown,
      paymentId: payment.paymentId,
      amount: { amount: 1299, currency: 'EUR' },
      status,
    });
    expect((await first.listOrder()).body).toEqual({
      charges: [
        listed(first, 'DECLINED'),
        listed(second, 'VOIDED'),
        listed(refunded, 'REFUNDED'),
        listed(third, 'CAPTURED'),
      ],
    });
  });

  it('is empty for an order without charges', async () => {
    expect((await newPayment().listOrder()).body).toEqual({ charges: [] });
  });

  it('asks for the order id', async () => {
    expect(await send(`${companion.url}/gateway/charges`)).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST', detail: expect.stringContaining('?orderId=') as unknown },
    });
  });
});

describe('bad input', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['a zero amount', { amount: { amount: 0, currency: 'EUR' } }, 'amount.amount'],
    ['a fraction', { amount: { amount: 12.5, currency: 'EUR' } }, 'amount.amount'],
    ['a currency in words', { amount: { amount: 1, currency: 'euro' } }, 'amount.currency'],
    ['an empty order id', { orderId: '' }, 'orderId'],
    ['no token', { paymentMethod: {} }, 'paymentMethod.token'],
    ['an unknown field', { capture: false }, 'capture'],
  ])('refuses %s, names the field and records nothing', async (_case, overrides, field) => {
    const payment = newPayment();
    expect(await payment.charge('tok_ok', overrides)).toMatchObject({
      status: 400,
      contentType: 'application/problem+json',
      body: { code: 'BAD_REQUEST', detail: expect.stringContaining(field) as unknown },
    });
    expect((await payment.query()).status).toBe(404);
  });

  it('asks for the idempotency key', async () => {
    expect(
      await send(`${companion.url}/gateway/charges`, { method: 'POST', body: {} }),
    ).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('Idempotency-Key') as unknown },
    });
  });

  it('refuses an unknown field in a void and leaves no tombstone', async () => {
    const payment = newPayment();
    expect((await payment.void({ reason: 'cancelled' })).status).toBe(400);
    expect((await payment.query()).status).toBe(404);
  });
});
