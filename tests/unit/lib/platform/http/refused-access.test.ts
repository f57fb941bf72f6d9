import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { forOrderService } from '../../../../../lib/inventory/http/reservation-api.ts';
import { BadSignature } from '../../../../../lib/payments/refusals.ts';
import { forGateway } from '../../../../../lib/payments/signature-check.ts';
import { forUsers } from '../../../../../lib/platform/http/user-access.ts';
import { tokenOf } from '../test-issuer.ts';
import { call, issuer, prepare } from './called-handler.ts';

prepare();

process.env['POWERTOOLS_LOG_LEVEL'] = 'INFO';
process.env['POWERTOOLS_METRICS_NAMESPACE'] = 'ordersaga/test';

let lines: Record<string, unknown>[];

beforeEach(() => {
  lines = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      lines.push(JSON.parse(String(text)) as Record<string, unknown>);
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

const requestContext = { requestId: 'req-1', identity: { sourceIp: '203.0.113.7' } } as never;
const told = () => lines.filter((line) => !('_aws' in line));
const counted = () => lines.filter((line) => '_aws' in line);

describe('access that is refused is one line and one metric', () => {
  test('of a caller with a forged token', async () => {
    const token = `${(await tokenOf(issuer)).slice(0, -6)}forged`;
    const headers = { authorization: `Bearer ${token}` };
    await call({ headers, requestContext }, { access: forUsers() });
    expect(told()).toEqual([
      expect.objectContaining({
        level: 'WARN',
        message: 'AccessRefused',
        correlationId: 'req-1',
        requestId: 'req-1',
        route: 'POST /order',
        sourceIp: '203.0.113.7',
        status: 401,
        code: 'UNAUTHENTICATED',
        callers: 'user',
        reason: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      }),
    ]);
    expect(counted()).toEqual([
      expect.objectContaining({ callers: 'user', code: 'UNAUTHENTICATED', AccessRefused: 1 }),
    ]);
    expect(JSON.stringify(lines)).not.toContain(token.slice(0, 20));
  });

  test('of a user without the scope, by name', async () => {
    const headers = { authorization: `Bearer ${await tokenOf(issuer)}` };
    const answer = await call({ headers, requestContext }, { access: forUsers('products:write') });
    expect(told()).toEqual([
      expect.objectContaining({ status: 403, userId: 'alice', reason: 'products:write' }),
    ]);
    expect(counted()).toHaveLength(1);
    expect(answer.text).not.toContain('alice');
  });

  test('of a service with a wrong credential', async () => {
    const headers = { 'X-Service-Credential': 'credential-of-nobody' };
    await call({ headers, requestContext }, { access: forOrderService });
    expect(counted()).toEqual([
      expect.objectContaining({ callers: 'service', code: 'UNAUTHENTICATED' }),
    ]);
    expect(JSON.stringify(lines)).not.toContain('credential-of-nobody');
  });

  test('of a webhook with a bad signature', async () => {
    const signature = () => Promise.reject(new BadSignature('Sign it.'));
    await call({ requestContext }, { access: forGateway, signature });
    expect(counted()).toEqual([
      expect.objectContaining({ callers: 'public', code: 'BAD_SIGNATURE' }),
    ]);
  });
});

describe("API Gateway's id of a request", () => {
  test('is its correlation id unless the caller has one: nothing to join', async () => {
    expect((await call({ requestContext })).headers['X-Correlation-Id']).toBe('req-1');
    expect(lines).toEqual([]);
  });

  test("is joined with the caller's own by a line", async () => {
    await call({ requestContext, headers: { 'x-correlation-id': 'corr-1' } });
    expect(told()).toEqual([
      expect.objectContaining({
        message: 'Request correlated',
        correlationId: 'corr-1',
        requestId: 'req-1',
      }),
    ]);
  });
});
