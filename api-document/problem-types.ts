import * as z from 'zod';
import * as inventoryRefusals from '../lib/inventory/refusals.ts';
import * as orderRefusals from '../lib/orders/refusals.ts';
import * as paymentRefusals from '../lib/payments/refusals.ts';
import * as commonErrors from '../lib/platform/errors.ts';
import { INTERNAL_ERROR } from '../lib/platform/http/problems.ts';

type DocumentedType = commonErrors.ProblemType & Pick<commonErrors.Refusal, 'retryAfterSeconds'>;

/** Refusals that only the Order Service gets from Inventory. */
const BETWEEN_SERVICES: readonly unknown[] = [
  inventoryRefusals.StaleRevision,
  inventoryRefusals.ReservationGone,
];

/** Every kind of problem of the public API, by its code, ordered by status. */
export const PROBLEM_TYPES: ReadonlyMap<string, DocumentedType> = new Map(
  [commonErrors, orderRefusals, paymentRefusals, inventoryRefusals]
    .flatMap((module) => Object.values<unknown>(module))
    .filter(isRefusalClass)
    .filter((refused) => !BETWEEN_SERVICES.includes(refused))
    .map(({ refusal }): DocumentedType => refusal)
    .concat(INTERNAL_ERROR)
    .sort((a, b) => a.status - b.status || (a.code < b.code ? -1 : 1))
    .map((type) => [type.code, type]),
);

/** RFC 9457. Further members name the subject of a problem. */
export const problemSchema = z.looseObject({
  type: z.string().describe('Stable name of the kind of problem; equivalent to `code`.'),
  title: z.string().describe('The kind of problem in words.'),
  status: z
    .int()
    .optional()
    .describe("The answer's HTTP status; absent from a few answers of API Gateway itself."),
  detail: z.string().describe('Advice on the next step.'),
  instance: z.string().describe('The path that was called.'),
  code: z.string().describe('Stable upper-case code for programs to decide by.'),
  orderId: z.string().optional().describe('The order in question.'),
  paymentId: z.string().optional().describe('The payment in question.'),
  productId: z.string().optional().describe('The product in question.'),
  orderStatus: z.string().optional().describe('Status of the order.'),
  paymentStatus: z.string().optional().describe('Status of the payment.'),
  reason: z.string().nullable().optional().describe('A stable code for the cause.'),
  order: z.string().optional().describe('Path of the order.'),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .describe('Fields of the request to correct.'),
});

/** @throws Error if no refusal has the code. */
export function problemTypeOf(code: string): DocumentedType {
  const type = PROBLEM_TYPES.get(code);
  if (type === undefined) throw new Error(`No refusal has the code ${code}.`);
  return type;
}

function isRefusalClass(exported: unknown): exported is commonErrors.RefusalClass {
  return typeof exported === 'function' && 'refusal' in exported;
}
