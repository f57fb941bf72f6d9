import type { Snapshot } from '../world/snapshot.ts';
import { isBefore, isRefused, requestsIn } from './history.ts';
import type { Recorded } from './recorded.ts';

/** Each acknowledged receipt counts once; a receipt of unknown outcome counts once or not at all. */
export function brokenReceipts({ calls, products }: Recorded, stored: Snapshot): string[] {
  return products.flatMap(({ productId, stock }) => {
    const requests = requestsIn(
      calls.filter(
        ({ kind, path }) => kind === 'receive' && path === `/product/${productId ?? ''}/stock`,
      ),
    );
    let possible = new Set([stock]);
    for (const request of requests) {
      if (request.every(isRefused)) continue;
      const { quantity } = request[0]?.body as { readonly quantity: number };
      const isSure = request.some(({ outcome }) => outcome === 'ok');
      possible = new Set(
        [...possible].flatMap((sum) => (isSure ? [sum + quantity] : [sum, sum + quantity])),
      );
    }
    const received = stored.products.find((one) => one.productId === productId)?.received;
    return possible.has(received ?? -1)
      ? []
      : [
          `stock: ${productId ?? ''} has received ${String(received)}, not ${[...possible].join(' or ')}`,
        ];
  });
}

/** No product sells more than it received. */
export function oversold(_recorded: Recorded, { products, orders }: Snapshot): string[] {
  return products.flatMap(({ productId, sold, received }) => {
    const paid = orders
      .filter(({ status }) => status === 'PAYMENT_DONE')
      .flatMap(({ items }) => items)
      .filter((line) => line.productId === productId)
      .reduce((sum, { quantity }) => sum + quantity, 0);
    return sold === paid && sold <= received
      ? []
      : [
          `stock: of ${productId}, ${String(received)} were received, ${String(sold)} sold, ${String(paid)} paid`,
        ];
  });
}

/** A product's price is the initial one, or a requested one that no acknowledged change followed. */
export function brokenPrices({ calls, products }: Recorded, stored: Snapshot): string[] {
  return products.flatMap(({ productId, unitPrice }) => {
    const requests = requestsIn(
      calls.filter(({ kind, path }) => kind === 'price' && path === `/product/${productId ?? ''}`),
    ).filter((request) => !request.every(isRefused));
    const sure = requests.filter((request) => request.some(({ outcome }) => outcome === 'ok'));
    const isLast = (request: (typeof requests)[number]) =>
      !sure.some((later) =>
        later.every((call) => request.every((former) => isBefore(former, call))),
      );
    const possible = [
      ...(sure.length === 0 ? [unitPrice.amount] : []),
      ...requests
        .filter(isLast)
        .map(([first]) => (first?.body as { unitPrice: { amount: number } }).unitPrice.amount),
    ];
    const price = stored.products.find((one) => one.productId === productId)?.unitPrice.amount;
    return possible.includes(price ?? -1)
      ? []
      : [`price: ${productId ?? ''} costs ${String(price)}, not ${possible.join(' or ')}`];
  });
}
