import type { Shop } from './shop.ts';
import type { RecordedEffect } from './world/effect-log.ts';

/** Acts as another user, or as the same user on another device. */
export interface Rival {
  readonly act: (shop: Shop, effect: RecordedEffect) => Promise<unknown>;
  /** World time before which the rival has nothing to do. */
  readonly notBeforeMs?: number;
  /** The user sees no change: the scenario has the same end as without it. */
  readonly isHarmless?: boolean;
}

const TWO_MUGS = [{ productId: 'prod-mug', quantity: 2 }];

/** Places bob's order for all remaining stock of the user's products; its saga takes the stock if it can. */
async function buyTheRest(shop: Shop): Promise<void> {
  const { orders, products } = shop.world.snapshot();
  const wanted = orders.find(({ orderId }) => orderId === shop.orderId)?.items ?? [];
  const items = products
    .filter(({ productId }) => wanted.some((line) => line.productId === productId))
    .map(({ productId, available }) => ({ productId, quantity: available }))
    .filter(({ quantity }) => quantity > 0);
  if (items.length > 0) await shop.rival('bob').place(items);
}

/** All rivals. Each makes a whole call just before an effect, between a step's read and its write. */
export const RIVALS = {
  cancels: { act: (shop) => shop.rival().cancel() },
  modifies: { act: (shop) => shop.rival().modify(TWO_MUGS) },
  pays: { act: (shop) => shop.rival().pay('tok_ok') },
  'retries the payment': { act: (shop) => shop.rival().retryPayment('tok_ok') },
  'retries the order': { act: (shop) => shop.rival().retryOrder() },
  'buys the rest': { act: buyTheRest },
  'dispatches what is due': {
    act: ({ world }) => world.invoke('dispatchDueWork', {}),
    notBeforeMs: 30_000,
    isHarmless: true,
  },
  'sweeps what has expired': {
    act: ({ world }) => world.invoke('expireReservations', {}),
    notBeforeMs: 30_000,
    isHarmless: true,
  },
  'repeats it': {
    act: ({ world }, { invocation: { functionKey, event } }) => world.invoke(functionKey, event),
    isHarmless: true,
  },
} as const satisfies Readonly<Record<string, Rival>>;

export type RivalName = keyof typeof RIVALS;
