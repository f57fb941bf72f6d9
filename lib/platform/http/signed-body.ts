import type { Call } from './call.ts';
import type { Part } from './endpoint.ts';
import { rawBodyOf } from './raw-body.ts';

/**
 * For callers without a token.
 * @param verify rejects unless the body's bytes, before they are parsed, prove the caller genuine.
 */
export function signedBody(
  verify: (rawBody: Buffer, header: Call['header']) => Promise<void>,
): Part<'signed'> {
  return {
    facts: { signed: true },
    middleware: { before: ({ event: call }) => verify(rawBodyOf(call.event), call.header) },
  };
}
