import type { Shop } from './shop.ts';
import type { RecordedEffect } from './world/effect-log.ts';

/** Acts for somebody else, or for the user on another device. */
export interface Rival {
  readonly act: (shop: Shop, effect: RecordedEffect) => Promise<unknown>;
  /** From the beginning of the world: before that there is nothing for it to do. */
  readonly notBeforeMs?: number;
  /** It changes nothing that the user would see: the scenario ends as it does without. */
  readonly isHarmless?: boolean;
}

const TWO_MUGS = [{ productId: 'prod-mug', quantity: 2 }];

/** All that is left of what the user has ordered; their order's saga takes it if it can. */
async function buyTheRest(shop: Shop): Promise<void> {
  const { orders, products } = shop.world.snapshot();
  const wanted = orders.find(({ orderId }) => orderId === shop.orderId)?.items ?? [];
  const items = products
    .filter(({ productId }) => wanted.some((line) => line.productId === productId))
    .map(({ productId, available }) => ({ productId, quantity: available }))
    .filter(({ quantity }) => quantity > 0);
  if (items.length > 0) await shop.rival('bob').place(items);
}

/** Everyone whose whole call may come just before an effect, in between what a step read and writes. */
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
