import type { Access } from '../platform/http/endpoint.ts';
import { countRefusedAccess } from '../platform/http/refused-access.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { secretReader } from '../platform/secrets.ts';
import { BadSignature } from './refusals.ts';
import { isSigned, SIGNATURE_HEADER } from './signatures.ts';

/** Access for the gateway, whose signature is checked instead of a token. */
export const forGateway: Access = { callers: 'public', countRefused: countRefusedAccess };

/**
 * Makes the check of a webhook's signature. It rejects with BadSignature unless one of
 * `WEBHOOK_SECRETS` signed exactly this body a moment ago.
 */
export function signatureCheck(runtime: Runtime) {
  const readSecrets = secretReader(runtime, 'WEBHOOK_SECRETS');
  return async (
    rawBody: Uint8Array,
    header: (name: string) => string | undefined,
  ): Promise<void> => {
    const secrets = await readSecrets();
    if (isSigned(rawBody, header(SIGNATURE_HEADER), secrets, runtime.clock.now())) return;
    throw new BadSignature(BadSignature.refusal.advice);
  };
}
