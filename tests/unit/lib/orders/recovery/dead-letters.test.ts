import { describe, expect, test } from 'vitest';
import { readLetter } from '../../../../../lib/orders/recovery/dead-letters.ts';

const AT = '2026-03-01T12:00:00.000Z';
const SAGA = {
  orderId: 'ord_1',
  run: 2,
  correlationId: 'corr-1',
  step: 'confirm-order',
  error: 'InventoryTimeout',
  at: AT,
};
const REQUEST = { orderId: 'ord_1', run: 2, correlationId: 'corr-1' };
const ACKNOWLEDGEMENT = {
  eventId: 'evt_1',
  type: 'charge.updated',
  paymentId: 'pay_1',
  orderId: 'ord_1',
  receivedAs: 'hook-1',
};

function undelivered(body: unknown, facts: object = {}): string {
  return JSON.stringify({
    orderId: 'ord_1',
    run: 2,
    correlationId: 'corr-1',
    step: 'a-consumer',
    error: 'GatewayUnknown',
    at: AT,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...facts,
  });
}

describe('a letter of the saga', () => {
  test('says what was given up', () => {
    expect(readLetter('saga', JSON.stringify(SAGA))).toEqual({ kind: 'SAGA', ...SAGA });
  });

  test('may name a payment', () => {
    const letter = { ...SAGA, paymentId: 'pay_1' };
    expect(readLetter('saga', JSON.stringify(letter))).toEqual({ kind: 'SAGA', ...letter });
  });

  test.each([
    ['no JSON', '{', {}],
    ['something else', '{"orderId":"ord_1","run":"2","hello":1}', { orderId: 'ord_1' }],
  ])('that is %s is unreadable, with what it does say', (_what, text, facts) => {
    expect(readLetter('saga', text)).toEqual({ kind: 'UNREADABLE', ...facts });
  });
});

describe('a compensation', () => {
  const facts = {
    orderId: 'ord_1',
    run: 2,
    correlationId: 'corr-1',
    step: 'a-consumer',
    error: 'GatewayUnknown',
    at: AT,
  };

  test('given up by its consumer says why', () => {
    expect(readLetter('compensation', undelivered(REQUEST))).toEqual({
      kind: 'COMPENSATION',
      ...facts,
    });
  });

  test('moved by the queue itself says which order', () => {
    expect(readLetter('compensation', JSON.stringify(REQUEST))).toEqual({
      kind: 'COMPENSATION',
      ...REQUEST,
    });
  });

  test.each([
    undelivered({ ...REQUEST, paymentId: 'pay_0' }),
    JSON.stringify({ ...REQUEST, paymentId: 'pay_0' }),
  ])('of one payment names it: %s', (text) => {
    expect(readLetter('compensation', text)).toMatchObject({
      kind: 'COMPENSATION',
      orderId: 'ord_1',
      paymentId: 'pay_0',
    });
  });

  test('that its consumer did not understand is unreadable, and says why', () => {
    expect(readLetter('compensation', undelivered('{', { error: 'InvalidMessage' }))).toEqual({
      kind: 'UNREADABLE',
      ...facts,
      error: 'InvalidMessage',
    });
  });

  test('that is anything else is unreadable', () => {
    expect(readLetter('compensation', 'hello')).toEqual({ kind: 'UNREADABLE' });
  });
});

describe('an acknowledgement', () => {
  test('given up by its consumer is in the trace of its order', () => {
    expect(readLetter('acknowledgement', undelivered(ACKNOWLEDGEMENT))).toMatchObject({
      kind: 'ACKNOWLEDGEMENT',
      correlationId: 'corr-1',
      acknowledgement: ACKNOWLEDGEMENT,
    });
  });

  test('moved by the queue itself is in the trace of the request that brought it', () => {
    expect(readLetter('acknowledgement', JSON.stringify(ACKNOWLEDGEMENT))).toEqual({
      kind: 'ACKNOWLEDGEMENT',
      orderId: 'ord_1',
      correlationId: 'hook-1',
      acknowledgement: ACKNOWLEDGEMENT,
    });
  });

  test('that is anything else is unreadable', () => {
    expect(readLetter('acknowledgement', JSON.stringify(REQUEST))).toEqual({
      kind: 'UNREADABLE',
      ...REQUEST,
    });
  });
});
