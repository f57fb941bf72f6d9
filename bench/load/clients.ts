import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

/** Orders of one load: every client places an order, pays it, and begins anew until the time is up. */
export interface LoadPlan {
  readonly apiUrl: string;
  /** One user a client. */
  readonly tokens: readonly string[];
  readonly productIds: readonly string[];
  /** No order begins after this time. */
  readonly seconds: number;
}

/** One order: its duration, and whether both of its calls were answered with their outcome. */
export interface LoadedOrder {
  readonly orderId: string;
  readonly durationMs: number;
  readonly isSettled: boolean;
  /** `201 200` if all went well. */
  readonly answers: string;
}

const WAIT = { prefer: 'wait=10' };

async function post(url: string, token: string, body: unknown) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...WAIT,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as { orderId?: string } };
}

async function order(plan: LoadPlan, token: string, productId: string): Promise<LoadedOrder> {
  const beganAtMs = performance.now();
  const placed = await post(`${plan.apiUrl}/order`, token, { items: [{ productId, quantity: 1 }] });
  const orderId = placed.body.orderId ?? '';
  const paid =
    placed.status === 201
      ? await post(`${plan.apiUrl}/payment`, token, { orderId, paymentMethod: { token: 'tok_ok' } })
      : undefined;
  return {
    orderId,
    durationMs: performance.now() - beganAtMs,
    isSettled: paid?.status === 200,
    answers: [placed.status, paid?.status ?? '–'].join(' '),
  };
}

/** Runs the plan. The clients begin at different products and go through all of them. */
async function run(plan: LoadPlan): Promise<LoadedOrder[]> {
  const endsAtMs = performance.now() + plan.seconds * 1000;
  const orders: LoadedOrder[] = [];
  await Promise.all(
    plan.tokens.map(async (token, client) => {
      for (let turn = client; performance.now() < endsAtMs; turn += 1) {
        const productId = plan.productIds[turn % plan.productIds.length] ?? '';
        orders.push(await order(plan, token, productId));
      }
    }),
  );
  return orders;
}

// A process of its own, so that its CPU time is not counted as the service's.
const [plan] = (await once(process, 'message')) as [LoadPlan];
process.send?.(await run(plan), () => {
  process.disconnect();
});
