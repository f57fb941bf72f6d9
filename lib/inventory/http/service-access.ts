import { hash, timingSafeEqual } from 'node:crypto';
import { Unauthenticated } from '../../platform/errors.ts';
import { type Access, NOBODY } from '../../platform/http/endpoint.ts';
import { perRuntime } from '../../platform/lambda/runtime.ts';
import { secretReader } from '../../platform/secrets.ts';
import { SERVICE_CREDENTIAL_HEADER } from './reservation-response.ts';

const credentials = perRuntime((runtime) => secretReader(runtime, 'INVENTORY_CREDENTIAL'));

/** Access for the Order Service only, by its credential. */
export const forOrderService = {
  callers: 'service',
  header: SERVICE_CREDENTIAL_HEADER,
  async authenticate(token: string) {
    if (await isOrderService(token)) return NOBODY;
    throw new Unauthenticated('Only the Order Service may call this; its credential is not valid.');
  },
} as const satisfies Access;

/**
 * Compares a token with the credentials that are valid now, in constant time.
 * @throws InfrastructureUnavailable if those cannot be read.
 */
async function isOrderService(token: string): Promise<boolean> {
  const presented = hash('sha256', token, 'buffer');
  for (const credential of await credentials()()) {
    if (timingSafeEqual(hash('sha256', credential, 'buffer'), presented)) return true;
  }
  return false;
}
