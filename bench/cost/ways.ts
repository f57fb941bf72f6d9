import { reservationWaitSeconds } from '../../statemachines/constants.ts';
import type { Meter } from './meter.ts';

/** Outcomes of most orders. */
export const WAYS = {
  paid: 'paid, the gateway captures at once',
  acknowledged: 'paid, the gateway captures later and calls the webhook',
  declined: 'declined, then abandoned',
  expired: 'never paid, the reservation expires',
} as const;

export type Way = keyof typeof WAYS;

/** Reservation period of the measured stack. Its length does not change the quantities. */
export const RESERVATION_SECONDS = 300;
/** Time after which the saga has noticed the expiry. */
const BEYOND_THE_RESERVATION_MS = reservationWaitSeconds(RESERVATION_SECONDS) * 1000 + 1000;

/**
 * Places an order of a new user, and takes it that way.
 * @param waitSeconds `Prefer: wait`. With 0 no call reads an order again and again, so that every request is counted
 * alike on a slow and on a fast machine.
 * @returns its id.
 */
export async function take(
  meter: Meter,
  way: Way,
  user: string,
  waitSeconds = 10,
): Promise<string> {
  const { stack } = meter;
  const isWaiting = waitSeconds > 0;
  const headers = {
    authorization: `Bearer ${await stack.mintToken(user)}`,
    'content-type': 'application/json',
    ...(isWaiting ? { prefer: `wait=${String(waitSeconds)}` } : {}),
  };
  const post = async (path: string, body: unknown, key: string) => {
    const response = await fetch(stack.apiUrl + path, {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': key },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as { orderId: string } };
  };
  const placed = await post(
    '/order',
    { items: [{ productId: 'prod-coffee', quantity: 2 }] },
    'order',
  );
  if (placed.status !== (isWaiting ? 201 : 202)) {
    throw new Error(`The order was answered ${String(placed.status)}.`);
  }
  if (!isWaiting) await stack.clock.settle();
  const { orderId } = placed.body;
  if (way === 'expired') {
    await stack.clock.advance(BEYOND_THE_RESERVATION_MS);
    return orderId;
  }
  const { token, status } = PAYMENTS[way];
  const paid = await post('/payment', { orderId, paymentMethod: { token } }, 'payment');
  if (paid.status !== (isWaiting ? status : 202)) {
    throw new Error(`The payment was answered ${String(paid.status)}.`);
  }
  if (!isWaiting) await stack.clock.settle();
  return orderId;
}

const PAYMENTS = {
  paid: { token: 'tok_ok', status: 200 },
  acknowledged: { token: 'tok_async', status: 200 },
  declined: { token: 'tok_declined', status: 402 },
} as const;
