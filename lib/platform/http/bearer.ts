import { Unauthenticated } from '../errors.ts';

/** @throws Unauthenticated if there is no bearer token. */
export function bearer(authorization: string | undefined): string {
  const match = /^Bearer +(\S+)$/i.exec(authorization ?? '');
  if (match?.[1] === undefined) {
    throw new Unauthenticated('Send "Authorization: Bearer <token>".');
  }
  return match[1];
}
