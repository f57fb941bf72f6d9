import { DomainError } from '../platform/errors.ts';
import type { Order, RefusedProduct } from './order.ts';

/** The product because of which Inventory refused; undefined if it refused for another reason. */
export function refusedProductOf(error: unknown): RefusedProduct | undefined {
  if (!(error instanceof DomainError) || error.refusal === undefined) return undefined;
  const { productId, available, maxPerOrder } = error.details;
  if (typeof productId !== 'string') return undefined;
  return {
    code: error.refusal.code,
    detail: error.message,
    productId,
    ...(typeof available === 'number' ? { available } : {}),
    ...(typeof maxPerOrder === 'number' ? { maxPerOrder } : {}),
  };
}

/** The product that the order, or its latest change, failed by; undefined if it has not, or not by a product. */
export function shownRefusal(order: Order): RefusedProduct | undefined {
  const { refused, modification } = order;
  const codes = [
    'reason' in order ? order.reason : undefined,
    modification?.status === 'REJECTED' ? modification.code : undefined,
  ];
  return refused !== undefined && codes.includes(refused.code) ? refused : undefined;
}
