import { inventoryServiceDocument } from '../inventory/http/inventory-document.ts';
import { orderServiceDocument } from '../orders/http/orders-document.ts';
import type { Operation } from '../platform/http/operation-document.ts';
import { PROBLEM_TYPES, problemTypeOf } from './problem-types.ts';
import { commonDocument } from './service-document.ts';

export const SERVICES = [orderServiceDocument, inventoryServiceDocument, commonDocument];

/** Every call of the API, by its route. */
export const OPERATIONS: Readonly<Record<string, Operation>> = Object.assign(
  {},
  ...SERVICES.map(({ operations }) => operations),
) as Record<string, Operation>;

/**
 * Lists every code that this operation may be refused with.
 * @throws Error if it names a code that no refusal has.
 */
export function problemCodesOf(operation: Operation): string[] {
  const {
    access,
    scope,
    isSigned,
    idempotent,
    body,
    query,
    headers = [],
    problems = [],
  } = operation;
  const always = ['INTERNAL_ERROR'];
  if (access !== 'public') always.push('UNAUTHENTICATED', 'TEMPORARILY_UNAVAILABLE');
  if (isSigned === true) always.push('BAD_SIGNATURE');
  if (scope !== undefined) always.push('MISSING_SCOPE');
  if (body !== undefined) always.push('BAD_REQUEST', 'BODY_TOO_LARGE');
  if (query !== undefined || headers.includes('If-Match')) always.push('BAD_REQUEST');
  if (idempotent === true)
    always.push('BAD_REQUEST', 'IDEMPOTENCY_CONFLICT', 'REQUEST_IN_PROGRESS');
  const all = new Set([...always, ...problems]);
  for (const code of all) problemTypeOf(code);
  return [...PROBLEM_TYPES.keys()].filter((code) => all.has(code));
}
