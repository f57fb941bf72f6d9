import { formatMoney, type Narrator } from './narrator.ts';
import type { Scene } from './scenes.ts';
import type { Charge, Shop } from './shop.ts';

const NONE = 'none';

/** A scene with its order; without an order if the scene broke off. */
export interface PlayedScene {
  readonly scene: Scene;
  readonly orderId: string | undefined;
}

/** Compares the final state of every order and all stock with the expectations. */
export async function summarise(
  shop: Shop,
  narrator: Narrator,
  played: readonly PlayedScene[],
): Promise<void> {
  narrator.tell('How every order ended, and all that the gateway charged for it:');
  narrator.line(row('', 'promised', 'seen', 'charged'));
  for (const { scene, orderId } of played) await summariseOrder(shop, narrator, scene, orderId);

  narrator.tell('No oversell: available + reserved + sold = received.');
  for (const { name, available, reserved, sold, received } of await shop.products()) {
    const counters = [available, reserved, sold].map((count) => String(count).padStart(3));
    const sum = `${name.padEnd(16)} ${counters.join(' + ')}`;
    narrator.verdict(
      available >= 0 && available + reserved + sold === received,
      `${sum} = ${String(received).padStart(3)}`,
      `${sum} to be ${String(received)}, but it is not`,
    );
  }
}

async function summariseOrder(
  shop: Shop,
  narrator: Narrator,
  { title, customer, promised, charges: promisedCharges }: Scene,
  orderId: string | undefined,
): Promise<void> {
  if (orderId === undefined) {
    narrator.verdict(false, '', `an order of ${customer} (${title}), but its scene broke off`);
    return;
  }
  const [{ status }, charges] = await Promise.all([
    shop.order(customer, orderId),
    shop.charges(orderId),
  ]);
  const expected = listed(promisedCharges);
  const actual = listed(charges.map((charge) => charge.status));
  narrator.verdict(
    status === promised && actual === expected,
    row(title, promised, status, listed(charges.map(describeCharge))),
    `the order of ${customer} (${title}) to end ${promised}, charged ${expected}, ` +
      `but it is ${status}, charged ${actual}`,
  );
}

function describeCharge({ status, amount }: Charge): string {
  return `${status} ${formatMoney(amount)}`;
}

function listed(charges: readonly string[]): string {
  return charges.join(', ') || NONE;
}

function row(title: string, promised: string, seen: string, charged: string): string {
  return `${title.padEnd(24)}${promised.padEnd(16)}${seen.padEnd(16)}${charged}`;
}
