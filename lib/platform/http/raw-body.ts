import type { APIGatewayProxyEvent } from 'aws-lambda';
import { MAX_BODY_BYTES } from '../../limits.ts';
import { BodyTooLarge } from '../errors.ts';

/**
 * The body's bytes as they were sent.
 * @throws BodyTooLarge
 */
export function rawBodyOf(event: APIGatewayProxyEvent): Buffer {
  const raw = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (raw.byteLength > MAX_BODY_BYTES) {
    throw new BodyTooLarge(`Send at most ${String(MAX_BODY_BYTES)} bytes.`);
  }
  return raw;
}
