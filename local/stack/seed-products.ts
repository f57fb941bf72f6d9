import type { NewProduct } from '../../lib/inventory/create-product.ts';

const eur = (amount: number) => ({ amount, currency: 'EUR' });

/** Products that every local stack starts with; section 8 of the specification. */
export const SEED_PRODUCTS = [
  {
    productId: 'prod-coffee',
    name: 'Coffee',
    description: 'One kilogram of espresso beans.',
    unitPrice: eur(1299),
    stock: 100,
    maxPerOrder: 25,
    active: true,
  },
  {
    productId: 'prod-mug',
    name: 'Mug',
    description: 'Stoneware, 300 ml.',
    unitPrice: eur(850),
    stock: 25,
    maxPerOrder: 10,
    active: true,
  },
  {
    productId: 'prod-grinder',
    name: 'Grinder',
    description: 'A hand grinder with a steel burr. The last one.',
    unitPrice: eur(14_900),
    stock: 1,
    maxPerOrder: 2,
    active: true,
  },
  {
    productId: 'prod-retired',
    name: 'Retired blend',
    description: 'Unavailable for now.',
    unitPrice: eur(500),
    stock: 10,
    maxPerOrder: 5,
    active: false,
  },
] satisfies readonly NewProduct[];
