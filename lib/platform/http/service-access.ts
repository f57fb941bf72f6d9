import { createHash, timingSafeEqual } from 'node:crypto';
import { Unauthenticated } from '../errors.ts';
import { perRuntime } from '../lambda/runtime.ts';
import { secretReader } from '../secrets.ts';
import { bearer } from './call.ts';
import type { Access } from './endpoint.ts';

/** Access for the other service only, by its credential. */
export function forServices(): Access {
  return {
    callers: 'service',
    middleware: {
      before: ({ event: call }) => authenticateService(call.header('authorization')),
    },
  };
}

const credentials = perRuntime((runtime) => secretReader(runtime, 'INVENTORY_CREDENTIAL'));

/**
 * Compares the credential that the caller presents with the services' own, in constant time.
 * @throws Unauthenticated if the caller presents none.
 * @throws InfrastructureUnavailable if the services' own cannot be read.
 */
export async function isService(authorization: string | undefined): Promise<boolean> {
  const presented = digestOf(bearer(authorization));
  const accepted = await credentials()();
  return accepted.some((credential) => timingSafeEqual(digestOf(credential), presented));
}

/** @throws Unauthenticated unless the caller presents one of the services' own credentials. */
export async function authenticateService(authorization: string | undefined): Promise<void> {
  if (!(await isService(authorization))) {
    throw new Unauthenticated('Only the Order Service may call this; its credential is not valid.');
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
