import type { OrderAnswers } from './order-examples.ts';

// Parts of declarations that two functions share, because both answer by the same code (responses.ts).

/** Successful answers of placing and retrying an order. */
export const PLACED_ORDER_ANSWERS = {
  201: {
    description: 'The stock is reserved; the order can be paid.',
    example: 'reservedOrder',
    headers: ['Location', 'ETag'],
  },
  202: {
    description:
      'The order is stored and its stock is not decided yet: read the order again, or send `Prefer: wait=10`.',
    example: 'createdOrder',
    headers: ['Location', 'ETag', 'Retry-After'],
  },
} as const satisfies OrderAnswers;

/** Problems of an order that did not come about. */
export const UNFULFILLED_ORDER_PROBLEMS = [
  'OUT_OF_STOCK',
  'TOO_MANY_PIECES',
  'UNKNOWN_PRODUCT',
  'MIXED_CURRENCIES',
  'BAD_QUANTITY',
  'PRODUCT_UNAVAILABLE',
  'ORDER_FAILED',
] as const satisfies readonly string[];

/** Successful answers of starting and retrying a payment. */
export const PAYMENT_ANSWERS = {
  200: {
    description: 'The money is captured and the order is paid.',
    example: 'capturedPayment',
    headers: ['Location'],
  },
  202: {
    description: 'The payment is under way: read it again, or send `Prefer: wait=10`.',
    example: 'initiatedPayment',
    headers: ['Location', 'Retry-After'],
  },
} as const satisfies OrderAnswers;
