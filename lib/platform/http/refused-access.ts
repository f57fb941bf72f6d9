import { DomainError } from '../errors.ts';
import { observe } from '../lambda/observe.ts';
import type { Access, Call } from './endpoint.ts';

const REFUSES_ACCESS: ReadonlySet<number | undefined> = new Set([401, 403]);

/**
 * Counts a 401 or 403 among the errors of a route, so that an attack can be seen: who called from where, for what,
 * and why it was refused. The line never has the token, credential or signature.
 */
export function countRefusedAccess(error: unknown, call: Call, { callers }: Access): void {
  if (!(error instanceof DomainError) || !REFUSES_ACCESS.has(error.refusal?.status)) return;
  const { correlationId, route, requestId, sourceIp } = call;
  const { code = '', status } = error.refusal ?? {};
  const facts = { status, requestId, sourceIp, ...error.logged };
  observe('AccessRefused', { correlationId, route }, { callers, code }, facts);
}
