import { CORRELATION_ID, IDEMPOTENCY_KEY, MAX_WAIT_SECONDS } from '../lib/limits.ts';
import type { AnswerHeader } from '../lib/platform/http/endpoint.ts';
import type { RequestHeader } from '../lib/platform/http/examples.ts';
import type { Json, OpenApiHeader } from './open-api-format.ts';

/** Request headers that routes of several services read; a service describes its own. */
export const REQUEST_HEADERS: Readonly<Record<string, RequestHeader>> = {
  'Idempotency-Key': {
    description:
      'The same key and request replays the first answer for 24 hours and does nothing twice. ' +
      'Answers that are only true for the moment (409, 5xx) are not replayed.',
    schema: { type: 'string', pattern: IDEMPOTENCY_KEY.source },
    example: '7d1f0c3e-checkout-1',
  },
  Prefer: {
    description:
      `\`wait=N\`: wait up to N seconds (at most ${String(MAX_WAIT_SECONDS)}) ` +
      'until it is decided (RFC 7240).',
    schema: { type: 'string' },
    example: `wait=${String(MAX_WAIT_SECONDS)}`,
  },
  'If-Match': {
    description: 'The `ETag` you have read: only if it has not changed since.',
    schema: { type: 'string', pattern: '^\\s*("\\d{1,15}"|\\*)\\s*$' },
    example: '"3"',
  },
  'If-None-Match': {
    description:
      'The `ETag` you have read: `304` without content while it has not changed; with `Prefer: wait=N` ' +
      'an order is answered as soon as it changes.',
    schema: { type: 'string' },
    example: '"3"',
  },
  'X-Correlation-Id': {
    description:
      'Kept in logs and answers. If it is absent or has other characters, you get a new one.',
    schema: { type: 'string' },
    example: 'checkout-4711',
  },
};

export const ANSWER_HEADERS: Readonly<
  Record<
    AnswerHeader | 'Idempotent-Replayed' | 'X-Correlation-Id' | 'WWW-Authenticate',
    OpenApiHeader
  >
> = {
  ETag: {
    description: 'The version of what is answered, for `If-Match` and `If-None-Match`.',
    required: true,
    schema: { type: 'string', pattern: '^"\\d+"$' },
    example: '"3"',
  },
  Location: {
    description: 'Path of the order, payment or product.',
    required: true,
    schema: { type: 'string', format: 'uri-reference' },
    example: '/order/ord_5f0c2d9ab8f34e61a7d2c49e01',
  },
  'Content-Security-Policy': {
    description: 'The page may load nothing.',
    required: true,
    schema: { type: 'string' },
    example: "default-src 'none'",
  },
  'Retry-After': {
    description: 'Seconds after which trying again may help.',
    required: false,
    schema: { type: 'string', pattern: '^\\d+$' },
    example: '1',
  },
  'Idempotent-Replayed': {
    description: '`true` on an answer that was given before to the same `Idempotency-Key`.',
    required: false,
    schema: { type: 'string', const: 'true' },
    example: 'true',
  },
  'X-Correlation-Id': {
    description: 'The id you sent, or a new one. Name it when you report a problem.',
    required: true,
    schema: { type: 'string', pattern: CORRELATION_ID.source },
    example: 'checkout-4711',
  },
  'WWW-Authenticate': {
    description:
      'The way to authenticate. API Gateway on AWS renames it `x-amzn-Remapped-WWW-Authenticate`.',
    required: false,
    schema: { type: 'string', enum: ['Bearer', 'Signature'] },
    example: 'Bearer',
  },
};

export const SECURITY_SCHEMES: Readonly<Record<string, Json>> = {
  user: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token of the configured OIDC issuer; `sub` is the user, `scope` may hold ' +
      '`products:write`. Locally: `npm run -s token -- alice`.',
  },
  signature: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Gateway-Signature',
    description:
      '`t=<unix seconds>,v1=<hex>`: v1 is the HMAC-SHA256 of `<t>.<body>` with a shared secret; t is ' +
      'at most 5 minutes off.',
  },
};
