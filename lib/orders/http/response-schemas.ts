import * as z from 'zod';
import { PAYMENT_STATUSES } from '../../payments/payment.ts';
import { moneySchema, timestampSchema } from '../../platform/schemas.ts';
import { ORDER_STATUSES, ROLES } from '../order.ts';

/** Orders and payments as the API shows them. The compiler checks the views against these schemas. */

const orderStatusSchema = z.enum(ORDER_STATUSES);

const paymentStatusSchema = z.enum(PAYMENT_STATUSES);

export const linkSchema = z.object({ method: z.string(), href: z.string() });

export const orderSchema = z.object({
  orderId: z.string(),
  status: orderStatusSchema,
  reason: z
    .string()
    .nullable()
    .describe('Stable code of the failure, the rejection or the cancellation.'),
  version: z.int().min(1).describe('Counts the visible changes of the order; its ETag.'),
  items: z.array(
    z.object({
      productId: z.string(),
      quantity: z.int(),
      unitPrice: moneySchema.nullable().describe('Frozen when the line is first reserved.'),
    }),
  ),
  total: moneySchema.nullable(),
  reservationExpiresAt: timestampSchema.nullable().describe('End of the reservation hold.'),
  paymentUrl: z.url().nullable().describe('Payment page, while the order can be paid.'),
  paymentId: z.string().nullable().describe('The latest payment.'),
  modification: z
    .object({ status: z.enum(['PENDING', 'APPLIED', 'REJECTED']), code: z.string().nullable() })
    .nullable()
    .describe('The latest requested change of the items.'),
  refused: z
    .object({
      productId: z.string(),
      available: z.int().nullable().describe('Pieces that could be ordered at that moment.'),
      maxPerOrder: z.int().nullable().describe('Pieces that one order may have of it.'),
    })
    .nullable()
    .describe('The product because of which the order or its latest change was refused.'),
  refunds: z.array(z.object({ paymentId: z.string(), amount: moneySchema, at: timestampSchema })),
  history: z.array(
    z.object({
      from: orderStatusSchema.nullable(),
      to: orderStatusSchema,
      reason: z.string(),
      at: timestampSchema,
      by: z
        .enum(ROLES)
        .describe('Its user, `ordersaga` (the system), or `operator` (a redriven dead letter).'),
    }),
  ),
  waiting: z
    .object({
      for: z.enum(['INVENTORY']),
      since: timestampSchema,
      retryAfterSeconds: z.int().min(1).describe('Nothing happens before.'),
    })
    .nullable()
    .describe('Service that is away, and for which the order waits.'),
  createdAt: timestampSchema,
  links: z
    .object({
      self: linkSchema,
      pay: linkSchema.optional(),
      modify: linkSchema.optional(),
      cancel: linkSchema.optional(),
      retryOrder: linkSchema.optional(),
      retryPayment: linkSchema.optional(),
      payment: linkSchema.optional(),
    })
    .describe("The calls that the order's present status allows."),
});

export const orderPageSchema = z.object({
  orders: z.array(orderSchema),
  next: z.string().nullable().describe('The cursor of the next page; null on the last one.'),
});

export const paymentSchema = z.object({
  paymentId: z.string(),
  orderId: z.string(),
  attempt: z.int().min(1).describe('Number of the payment among those of its order, from 1.'),
  amount: moneySchema,
  status: paymentStatusSchema,
  code: z
    .string()
    .nullable()
    .describe('Reason for the failure, the void or the refund; null if there is none.'),
  history: z.array(
    z.object({
      from: paymentStatusSchema.nullable(),
      to: paymentStatusSchema,
      reason: z.string(),
      at: timestampSchema,
    }),
  ),
  createdAt: timestampSchema,
  links: z.object({ self: linkSchema, order: linkSchema }),
});

export type OrderDocument = z.infer<typeof orderSchema>;
export type OrderPageDocument = z.infer<typeof orderPageSchema>;
export type PaymentDocument = z.infer<typeof paymentSchema>;
