import { z } from 'zod';
import { productKey, toProduct } from '../../lib/inventory/inventory-repository.ts';
import type { Product } from '../../lib/inventory/product.ts';
import { ProductRepository } from '../../lib/inventory/product-repository.ts';
import { UnknownSchemaVersion } from '../../lib/platform/dynamo/items.ts';
import type { Runtime } from '../../lib/platform/lambda/runtime.ts';
import {
  hasMoved,
  type Pieces,
  type StockFacts,
  stockBalance,
  stockSums,
  unreadableProduct,
} from './checks/stock-counters.ts';
import type { Look } from './second-look.ts';
import { type Item, itemsOf, pagesOf, problemWith } from './tables.ts';

const CATALOGUE_PAGE = 100;

const linesSchema = z.array(z.object({ productId: z.string(), quantity: z.number() }));

/** Called with each page of reservations on the way. */
export type OnReservations = (page: readonly Item[]) => Promise<void>;

/**
 * Adds up all reservations of the stage by product. It reads the products, then every reservation, then the
 * products again. It keeps in memory one page of reservations, and the counters and sums of each product.
 * @param productIds only these; by default all products.
 * @throws InfrastructureUnavailable
 */
export async function lookAtStock(
  runtime: Runtime,
  pageSize: number,
  {
    productIds,
    onReservations,
  }: {
    readonly productIds?: readonly string[];
    readonly onReservations?: OnReservations;
  },
): Promise<Look<string>[]> {
  const wanted = productIds === undefined ? undefined : new Set(productIds);
  const before = await countersOf(
    runtime,
    productIds ?? (await allProductIds(new ProductRepository(runtime))),
  );
  const sums = new Map<string, Pieces>([...before.keys()].map((id) => [id, NOTHING]));
  const scan = {
    table: runtime.config.INVENTORY_TABLE,
    types: ['PRODUCT', 'RESERVATION'],
    pageSize,
  };
  for await (const page of pagesOf(runtime, scan)) {
    const reservations = page.filter((item) => item['type'] === 'RESERVATION');
    const created = page.filter((item) => item['type'] === 'PRODUCT');
    for (const item of created) addPieces(sums, String(item['productId']), NOTHING);
    for (const item of reservations) addReservation(sums, item);
    await onReservations?.(reservations);
  }
  const looked = [...(wanted ?? sums.keys())];
  const after = await countersOf(runtime, looked);
  return looked.map((productId) => {
    const item = after.get(productId);
    const problem = item === undefined ? undefined : problemWith(item, toProduct);
    return judgeStock({
      productId,
      before: before.get(productId) as Product | undefined,
      pieces: sums.get(productId) ?? NOTHING,
      after: item as Product | undefined,
      problem: problem?.message,
      isOtherVersion: problem instanceof UnknownSchemaVersion,
    });
  });
}

const NOTHING: Pieces = { held: 0, sold: 0 };

/** Judges a product. If it changed during the reading, only the rules that hold at every moment apply. */
export function judgeStock(facts: StockFacts): Look<string> {
  const findings = facts.isOtherVersion ? [] : [...stockBalance(facts), ...stockSums(facts)];
  return {
    subject: facts.productId,
    findings: findings.length > 0 ? findings : unreadableProduct(facts),
    hasMoved: hasMoved(facts),
  };
}

async function allProductIds(repository: ProductRepository): Promise<string[]> {
  const productIds: string[] = [];
  for (;;) {
    const page = await repository.productIds(productIds.at(-1), CATALOGUE_PAGE);
    productIds.push(...page);
    if (page.length < CATALOGUE_PAGE) return productIds;
  }
}

async function countersOf(
  runtime: Runtime,
  productIds: readonly string[],
): Promise<ReadonlyMap<string, Item>> {
  const keys = productIds.map((productId) => productKey(productId).pk);
  const items = await itemsOf(runtime, runtime.config.INVENTORY_TABLE, keys);
  return new Map([...items.values()].map((item) => [String(item['productId']), item]));
}

function addReservation(sums: Map<string, Pieces>, item: Item): void {
  const { status, lines } = item;
  if (status !== 'HELD' && status !== 'CONFIRMED') return;
  // A reservation with malformed lines is a finding of its own. It holds nothing that could be counted.
  for (const { productId, quantity } of linesSchema.safeParse(lines).data ?? []) {
    addPieces(sums, productId, {
      held: status === 'HELD' ? quantity : 0,
      sold: status === 'CONFIRMED' ? quantity : 0,
    });
  }
}

function addPieces(sums: Map<string, Pieces>, productId: string, { held, sold }: Pieces): void {
  const sum = sums.get(productId) ?? NOTHING;
  sums.set(productId, { held: sum.held + held, sold: sum.sold + sold });
}
