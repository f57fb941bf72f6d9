import type { Runtime } from '../platform/lambda/runtime.ts';
import { secretReader } from '../platform/secrets.ts';
import { BadSignature } from './errors.ts';
import { isSigned, SIGNATURE_HEADER } from './signatures.ts';

/**
 * @returns what rejects with BadSignature unless the gateway, with one of `WEBHOOK_SECRETS`, sent
 *   exactly this now.
 */
export function signatureCheck(runtime: Runtime) {
  const readSecrets = secretReader(runtime, 'WEBHOOK_SECRETS');
  return async (
    rawBody: Uint8Array,
    header: (name: string) => string | undefined,
  ): Promise<void> => {
    const secrets = await readSecrets();
    if (isSigned(rawBody, header(SIGNATURE_HEADER), secrets, runtime.clock.now())) return;
    throw new BadSignature(
      `Send ${SIGNATURE_HEADER}: t=<unix seconds>,v1=<hex>, where v1 is the HMAC-SHA256 of ` +
        '"<t>.<body>" with a current secret and t is at most 5 minutes off.',
    );
  };
}
