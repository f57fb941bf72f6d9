import type { Money } from '../money.ts';
import { NotFound } from '../platform/errors.ts';
import type { InventoryService } from './inventory-service.ts';
import type { Product } from './product.ts';

/** The scope that shows and changes what others do not see. */
export const MANAGE_PRODUCTS = 'products:write';

export interface NewProduct {
  readonly productId: string;
  readonly name: string;
  readonly description: string;
  readonly unitPrice: Money;
  /** Pieces received with the product's creation. */
  readonly stock: number;
  readonly active: boolean;
}

/** Creates a product with its first stock; false where the id is taken. */
export function createProduct(inventory: InventoryService, product: NewProduct): Promise<boolean> {
  const { stock, active, ...description } = product;
  return inventory.repository.addProduct({
    ...description,
    status: active ? 'ACTIVE' : 'WITHDRAWN',
    version: 1,
    available: stock,
    reserved: 0,
    sold: 0,
    received: stock,
  });
}

/** @throws NotFound */
export async function getProduct(inventory: InventoryService, productId: string): Promise<Product> {
  const product = await inventory.repository.findProduct(productId);
  if (product === undefined) {
    throw new NotFound(`There is no product ${productId}; see GET /product.`);
  }
  return product;
}

/** The product as the API shows it; the counters only to those who may manage products. */
export function toProductDocument(product: Product, showsStock: boolean) {
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
