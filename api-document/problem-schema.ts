import * as z from 'zod';

/** RFC 9457; problems tell more about what they are of in further members. */
export const problemSchema = z.looseObject({
  type: z.string().describe('A stable name of the kind of problem; `code` says the same.'),
  title: z.string().describe('The kind of problem in words.'),
  status: z
    .int()
    .optional()
    .describe("The answer's HTTP status; absent from a few answers of API Gateway itself."),
  detail: z.string().describe('What to do next.'),
  instance: z.string().describe('The path that was called.'),
  code: z.string().describe('Stable and upper-case; what programs decide by.'),
  orderId: z.string().optional().describe('The order in question.'),
  paymentId: z.string().optional().describe('The payment in question.'),
  productId: z.string().optional().describe('The product in question.'),
  orderStatus: z.string().optional().describe('What the order is now.'),
  paymentStatus: z.string().optional().describe('What the payment is now.'),
  reason: z.string().nullable().optional().describe('A stable code for the cause.'),
  order: z.string().optional().describe('Where to look at the order.'),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .describe('The fields of the request that are to be corrected.'),
});
