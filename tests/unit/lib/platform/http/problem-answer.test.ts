import { describe, expect, test } from 'vitest';
import {
  IllegalTransition,
  InfrastructureUnavailable,
  NotFound,
} from '../../../../../lib/platform/errors.ts';
import { call, prepare } from './called-handler.ts';

prepare();

describe('what a use case throws', () => {
  const throwing = (error: unknown) =>
    call({ path: '/order/ord_1' }, {}, () => {
      throw error;
    });

  test('as a domain error becomes its problem', async () => {
    const error = new IllegalTransition('Ask again.', { details: { orderId: 'ord_1' } });
    expect(await throwing(error)).toMatchObject({
      status: 409,
      headers: { 'Content-Type': 'application/problem+json' },
      body: { code: 'ILLEGAL_TRANSITION', orderId: 'ord_1', instance: '/order/ord_1' },
    });
  });

  test('says when to come back, where coming back helps', async () => {
    const outage = new InfrastructureUnavailable('Again.', { retryAfterSeconds: 7 });
    expect((await throwing(outage)).headers['Retry-After']).toBe('7');
    expect((await throwing(new NotFound('No.'))).headers).not.toHaveProperty('Retry-After');
    const unknownOutage = new InfrastructureUnavailable('Later.');
    expect((await throwing(unknownOutage)).headers['Retry-After']).toBe('1');
  });

  test.each([
    ['a defect', new TypeError('cannot read password of undefined')],
    ['an SDK error', Object.assign(new Error('password at arn:aws'), { $metadata: {} })],
    ['no error at all', 'password'],
    ['nothing', undefined],
  ])('as %s is a 500 that gives nothing away', async (_what, error) => {
    const answer = await throwing(error);
    expect(answer).toMatchObject({
      status: 500,
      headers: { 'Content-Type': 'application/problem+json', 'X-Correlation-Id': 'fresh-id' },
      body: { code: 'INTERNAL_ERROR', title: 'Something went wrong', status: 500 },
    });
    expect(answer.text).not.toContain('password');
    expect(answer.text).not.toContain('stack');
  });
});
