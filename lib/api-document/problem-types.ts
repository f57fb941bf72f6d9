import * as z from 'zod';
import * as inventoryRefusals from '../inventory/refusals.ts';
import * as orderRefusals from '../orders/refusals.ts';
import * as paymentRefusals from '../payments/refusals.ts';
import * as commonErrors from '../platform/errors.ts';
import { problemSchema as commonProblemSchema } from '../platform/http/operation-document.ts';
import { INTERNAL_ERROR } from '../platform/http/problems.ts';

/** Every kind of problem, by its code, ordered by status. */
export const PROBLEM_TYPES: ReadonlyMap<string, commonErrors.ProblemType> = new Map(
  [commonErrors, orderRefusals, paymentRefusals, inventoryRefusals]
    .flatMap((module) => Object.values<unknown>(module))
    .filter(isRefusalClass)
    .map(({ refusal }): commonErrors.ProblemType => refusal)
    .concat(INTERNAL_ERROR)
    .sort((a, b) => a.status - b.status || (a.code < b.code ? -1 : 1))
    .map((type) => [type.code, type]),
);

/** Problem document with the members that the services add. */
export const problemSchema = commonProblemSchema.extend({
  orderId: z.string().optional().describe('The order in question.'),
  paymentId: z.string().optional().describe('The payment in question.'),
  productId: z.string().optional().describe('The product in question.'),
  orderStatus: z.string().optional().describe('What the order is now.'),
  paymentStatus: z.string().optional().describe('What the payment is now.'),
  reason: z.string().nullable().optional().describe('A stable code for the cause.'),
  order: z.string().optional().describe('Where to look at the order.'),
});

/** @throws Error if no refusal has the code. */
export function problemTypeOf(code: string): commonErrors.ProblemType {
  const type = PROBLEM_TYPES.get(code);
  if (type === undefined) throw new Error(`No refusal has the code ${code}.`);
  return type;
}

function isRefusalClass(exported: unknown): exported is commonErrors.RefusalClass {
  return typeof exported === 'function' && 'refusal' in exported;
}
