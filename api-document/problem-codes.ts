import type { DocumentedEndpoint } from './endpoints.ts';
import { PROBLEM_TYPES, problemTypeOf } from './problem-types.ts';

/**
 * Lists every code that this endpoint may refuse a request with.
 * @throws Error if it names a code that no refusal has.
 */
export function problemCodesOf(endpoint: DocumentedEndpoint): string[] {
  const { access, signature, idempotency, body, query, headers = [], document } = endpoint;
  const all = new Set(['INTERNAL_ERROR', ...(document.problems ?? [])]);
  const add = (isPossible: boolean, ...codes: readonly string[]) => {
    if (isPossible) for (const code of codes) all.add(code);
  };
  add(access.callers !== 'public', 'UNAUTHENTICATED', 'TEMPORARILY_UNAVAILABLE');
  add(access.scope !== undefined, 'MISSING_SCOPE');
  add(signature !== undefined, 'BAD_SIGNATURE');
  add(body !== undefined, 'BAD_REQUEST', 'BODY_TOO_LARGE');
  add(query !== undefined || headers.includes('If-Match'), 'BAD_REQUEST');
  add(idempotency !== undefined, 'BAD_REQUEST', 'IDEMPOTENCY_CONFLICT', 'REQUEST_IN_PROGRESS');
  for (const code of all) problemTypeOf(code);
  return [...PROBLEM_TYPES.keys()].filter((code) => all.has(code));
}
