import { z } from 'zod';

/** Products that the fuzzed orders and payments are made of. */
const PRODUCT_IDS = ['prod-fuzz-1', 'prod-fuzz-2', 'prod-fuzz-3'];
const ORDERS_OF_EACH_KIND = 8;
const STOCK = 1_000_000;

/** Ids that exist, by the calls that they are for. */
export interface Seed {
  readonly products: readonly string[];
  readonly payable: readonly string[];
  readonly modifiable: readonly string[];
  readonly cancellable: readonly string[];
  readonly failed: readonly string[];
  readonly unpaid: readonly string[];
  readonly paid: readonly string[];
  readonly payments: readonly string[];
  /** Cursors of second pages. */
  readonly nextOrders: string;
  readonly nextProducts: string;
}

const orderAnswer = z.object({ orderId: z.string() });
const listAnswer = z.object({ next: z.string() });
const paymentAnswer = z.object({ paymentId: z.string() });

/** Makes products, orders and payments through the API, in the states that the operations need. */
export async function seedApi(apiUrl: string, token: string): Promise<Seed> {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(new URL(path, apiUrl), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        prefer: 'wait=10',
        'x-allow-duplicate': 'true',
      },
    });
    return answer.json();
  };
  const create = (productId: string, active: boolean) =>
    call('POST', '/product', {
      productId,
      name: productId,
      description: 'For fuzzed orders.',
      unitPrice: { amount: 100, currency: 'EUR' },
      stock: STOCK,
      active,
    });
  const place = async (productId = PRODUCT_IDS[0]): Promise<string> =>
    orderAnswer.parse(await call('POST', '/order', { items: [{ productId, quantity: 1 }] }))
      .orderId;
  const pay = async (orderId: string, method: string): Promise<string | undefined> =>
    paymentAnswer.safeParse(
      await call('POST', '/payment', { orderId, paymentMethod: { token: method } }),
    ).data?.paymentId;
  const next = async (path: string): Promise<string> =>
    listAnswer.parse(await call('GET', `${path}?limit=1`)).next;
  const several = <Made>(make: () => Promise<Made>) =>
    Promise.all(Array.from({ length: ORDERS_OF_EACH_KIND }, make));

  for (const productId of PRODUCT_IDS) await create(productId, true);
  await create('prod-fuzz-withdrawn', false);
  const failed = await several(() => place('prod-fuzz-withdrawn'));
  const unpaid = await several(async () => {
    const orderId = await place();
    await pay(orderId, 'tok_declined');
    return orderId;
  });
  const paid = await several(() => place());
  const payments = await Promise.all(paid.map((orderId) => pay(orderId, 'tok_ok')));
  // Open orders come last: together with the fuzzed ones they fill the user's places.
  const payable = await several(() => place());
  const modifiable = await several(() => place());
  const cancellable = await several(() => place());
  return {
    products: PRODUCT_IDS,
    ...{ payable, modifiable, cancellable, failed, unpaid, paid },
    payments: payments.filter((id) => id !== undefined),
    nextOrders: await next('/order'),
    nextProducts: await next('/product'),
  };
}
