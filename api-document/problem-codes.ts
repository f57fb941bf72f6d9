import type { DocumentedEndpoint } from './endpoints.ts';
import { PROBLEM_TYPES, problemTypeOf } from './problem-types.ts';

/**
 * Lists every code that this endpoint may refuse a request with.
 * @throws Error if it names a code that no refusal has.
 */
export function problemCodesOf(endpoint: DocumentedEndpoint): string[] {
  const all = new Set([...codesOfChecks(endpoint), ...codesOfUseCase(endpoint)]);
  for (const code of all) problemTypeOf(code);
  return [...PROBLEM_TYPES.keys()].filter((code) => all.has(code));
}

/** True if a refusal with this code may be stored for an `Idempotency-Key`, and so be the answer to a repeated one. */
export function isReplayable(endpoint: DocumentedEndpoint, code: string): boolean {
  const isKept = endpoint.idempotency?.keeps(problemTypeOf(code).status) ?? false;
  return isKept && codesOfUseCase(endpoint).includes(code);
}

/** Codes of the checks before the use case; of a request with a key, nothing is stored yet. */
function codesOfChecks({ access, signature, idempotency, body, query }: DocumentedEndpoint) {
  return [
    ...(access.callers === 'public'
      ? []
      : ['UNAUTHENTICATED', 'TEMPORARILY_UNAVAILABLE', 'OVERLOADED']),
    ...(access.scope === undefined ? [] : ['MISSING_SCOPE']),
    ...(signature === undefined ? [] : ['BAD_SIGNATURE']),
    ...(body === undefined || body.isLenient === true ? [] : ['BAD_REQUEST', 'BODY_TOO_LARGE']),
    ...(query === undefined ? [] : ['BAD_REQUEST']),
    ...(idempotency === undefined
      ? []
      : ['BAD_REQUEST', 'IDEMPOTENCY_CONFLICT', 'REQUEST_IN_PROGRESS']),
  ];
}

/** Codes of the function itself, which reads `If-Match`. */
function codesOfUseCase({ headers = [], document }: DocumentedEndpoint): string[] {
  return [
    'INTERNAL_ERROR',
    ...(headers.includes('If-Match') ? ['BAD_REQUEST'] : []),
    ...(document.problems ?? []),
  ];
}
