import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAwsAccess } from '../../../../../lib/platform/aws/aws-access.ts';
import { functionUrlSigner } from '../../../../../lib/platform/aws/sign-request.ts';
import { passThrough } from '../../../../../lib/platform/effects.ts';

const SECRET_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const NOW_MS = Date.parse('2026-11-27T23:15:00.123Z');

beforeEach(() => {
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET_KEY);
  vi.stubEnv('AWS_SESSION_TOKEN', 'the-role-session');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

function sign(method: string, url: string, body?: string) {
  const clock = { now: () => NOW_MS, schedule: () => () => undefined };
  return functionUrlSigner({ aws: createAwsAccess(passThrough), clock })({ method, url, body });
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) =>
  createHmac('sha256', key).update(text).digest();

/** By hand, from https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function expectedAuthorization(method: string, path: string, query: string, body: string): string {
  const names = 'host;x-amz-content-sha256;x-amz-date;x-amz-security-token';
  const request = [
    method,
    path,
    query,
    'host:abc.lambda-url.eu-central-1.on.aws',
    `x-amz-content-sha256:${sha256(body)}`,
    'x-amz-date:20261127T231500Z',
    'x-amz-security-token:the-role-session',
    '',
    names,
    sha256(body),
  ].join('\n');
  const scope = '20261127/eu-central-1/lambda/aws4_request';
  const text = ['AWS4-HMAC-SHA256', '20261127T231500Z', scope, sha256(request)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${SECRET_KEY}`);
  const signature = hmac(key, text).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}

const URL_ = 'https://abc.lambda-url.eu-central-1.on.aws';

test.each([
  ['PUT', '/inventory/reservation/ord_1', '', '{"revision":1,"name":"Müll"}'],
  ['POST', '/inventory/reservation/ord_1/confirm', '', '{}'],
  ['GET', '/inventory/product/prod-mug', '', ''],
  ['DELETE', '/inventory/reservation/ord_1', 'revision=12', ''],
])('%s %s is signed as AWS documents it', async (method, path, query, body) => {
  const url = URL_ + path + (query === '' ? '' : `?${query}`);
  const { authorization, ...headers } = await sign(method, url, body === '' ? undefined : body);
  expect(authorization).toBe(expectedAuthorization(method, path, query, body));
  expect(headers).toEqual({
    'x-amz-content-sha256': sha256(body),
    'x-amz-date': '20261127T231500Z',
    'x-amz-security-token': 'the-role-session',
  });
});

test('another body, path or time is another signature', async () => {
  const signatures = await Promise.all([
    sign('PUT', `${URL_}/a`, '{}'),
    sign('PUT', `${URL_}/a`, '{ }'),
    sign('PUT', `${URL_}/b`, '{}'),
    sign('POST', `${URL_}/a`, '{}'),
  ]);
  expect(new Set(signatures.map(({ authorization }) => authorization)).size).toBe(4);
});
