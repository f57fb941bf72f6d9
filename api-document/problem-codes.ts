import { PROBLEMS, type ProblemCode } from '../lib/platform/http/problems.ts';
import type { DocumentedEndpoint } from './endpoints.ts';

/** Every code that this endpoint may refuse a request with. */
export function problemCodesOf(endpoint: DocumentedEndpoint): ProblemCode[] {
  const { access, signature, idempotency, body, query, headers = [], document } = endpoint;
  const all = new Set<ProblemCode>(['INTERNAL_ERROR', ...(document.problems ?? [])]);
  const add = (isPossible: boolean, ...codes: readonly ProblemCode[]) => {
    if (isPossible) for (const code of codes) all.add(code);
  };
  add(access.callers !== 'public', 'UNAUTHENTICATED', 'TEMPORARILY_UNAVAILABLE');
  add(access.scope !== undefined, 'MISSING_SCOPE');
  add(signature !== undefined, 'BAD_SIGNATURE');
  add(body !== undefined, 'BAD_REQUEST', 'BODY_TOO_LARGE');
  add(query !== undefined || headers.includes('If-Match'), 'BAD_REQUEST');
  add(idempotency !== undefined, 'BAD_REQUEST', 'IDEMPOTENCY_CONFLICT', 'REQUEST_IN_PROGRESS');
  return allCodes().filter((code) => all.has(code));
}

export function allCodes(): ProblemCode[] {
  return Object.keys(PROBLEMS) as ProblemCode[];
}
