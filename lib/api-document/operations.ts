import { inventoryServiceDocument } from '../inventory/http/inventory-document.ts';
import { orderServiceDocument } from '../orders/http/orders-document.ts';
import type { Operation } from '../platform/http/operation-document.ts';
import { PROBLEMS, type ProblemCode } from '../platform/http/problems.ts';
import { commonDocument } from './service-document.ts';

export const SERVICES = [orderServiceDocument, inventoryServiceDocument, commonDocument];

/** Every call of the API, by its route. */
export const OPERATIONS: Readonly<Record<string, Operation>> = Object.assign(
  {},
  ...SERVICES.map(({ operations }) => operations),
) as Record<string, Operation>;

/** Every code that this operation may be refused with. */
export function problemCodesOf(operation: Operation): ProblemCode[] {
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
  const always: ProblemCode[] = ['INTERNAL_ERROR'];
  if (access !== 'public') always.push('UNAUTHENTICATED', 'TEMPORARILY_UNAVAILABLE');
  if (isSigned === true) always.push('BAD_SIGNATURE');
  if (scope !== undefined) always.push('MISSING_SCOPE');
  if (body !== undefined) always.push('BAD_REQUEST', 'BODY_TOO_LARGE');
  if (query !== undefined || headers.includes('If-Match')) always.push('BAD_REQUEST');
  if (idempotent === true)
    always.push('BAD_REQUEST', 'IDEMPOTENCY_CONFLICT', 'REQUEST_IN_PROGRESS');
  const all = new Set([...always, ...problems]);
  return codes().filter((code) => all.has(code));
}

export function codes(): ProblemCode[] {
  return Object.keys(PROBLEMS) as ProblemCode[];
}
