import type { Product } from '../product.ts';
import type { ProductDocument } from './product-response.ts';

/** The product as the API shows it. Only those who manage products see the counters. */
export function toProductDocument(product: Product, showsStock: boolean): ProductDocument {
  return {
    productId: product.productId,
    name: product.name,
    description: product.description,
    unitPrice: product.unitPrice,
    active: product.status === 'ACTIVE',
    available: product.available,
    ...(showsStock
      ? { reserved: product.reserved, sold: product.sold, received: product.received }
      : {}),
  };
}
