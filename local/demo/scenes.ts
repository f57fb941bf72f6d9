import { totalOf } from '../../lib/orders/order-items.ts';
import { reservationWaitSeconds } from '../../statemachines/constants.ts';
import { formatMoney, type Narrator, type Stock } from './narrator.ts';
import type { Line, Order, Product, Shop } from './shop.ts';

const RESERVATION_TTL_SECONDS = 900;
const PAYMENT_ACK_TIMEOUT_SECONDS = 180;

/**
 * Settings of the demo's stack. The narrator states them, so the demo sets them even though both are the
 * defaults.
 */
export const SCENE_SETTINGS = {
  RESERVATION_TTL_SECONDS: String(RESERVATION_TTL_SECONDS),
  PAYMENT_ACK_TIMEOUT_SECONDS: String(PAYMENT_ACK_TIMEOUT_SECONDS),
};

export interface Stage {
  readonly shop: Shop;
  readonly narrator: Narrator;
  /** Advances the clock of the whole stack. Everything that falls due on the way happens. */
  readonly letPass: (seconds: number) => Promise<void>;
}

export interface Scene {
  readonly title: string;
  readonly customer: string;
  /** Expected last status of the scene's order. */
  readonly promised: string;
  /** Expected last statuses of the charges at the gateway. */
  readonly charges: readonly string[];
  /** Plays the scene. @returns the id of its order. */
  readonly play: (stage: Stage, customer: string) => Promise<string>;
}

/** In playing order: each scene starts from the stock that the scene before it left. */
export const SCENES: readonly Scene[] = [
  {
    title: 'A paid order',
    customer: 'Alice',
    promised: 'PAYMENT_DONE',
    charges: ['CAPTURED'],
    play: paidOrder,
  },
  {
    title: 'Out of stock',
    customer: 'Bob',
    promised: 'INVALID',
    charges: [],
    play: outOfStock,
  },
  {
    title: 'A declined payment',
    customer: 'Carol',
    promised: 'PAYMENT_FAILED',
    charges: ['DECLINED'],
    play: declinedPayment,
  },
  {
    title: 'An expired reservation',
    customer: 'Dave',
    promised: 'ORDER_FAILED',
    charges: [],
    play: expiredReservation,
  },
  {
    title: 'A lost answer',
    customer: 'Erin',
    promised: 'PAYMENT_DONE',
    charges: ['CAPTURED'],
    play: lostAnswer,
  },
];

async function paidOrder(stage: Stage, customer: string): Promise<string> {
  const { shop, narrator } = stage;
  const basket = await fillBasket(stage, [
    { productId: 'prod-coffee', quantity: 2 },
    { productId: 'prod-mug', quantity: 1 },
  ]);
  const orderId = await reserve(stage, customer, basket);

  narrator.tell(`${customer} pays; the gateway takes the money at once.`);
  const { answer } = await shop.pay(customer, orderId, 'tok_ok');
  narrator.check('the answer to POST /payment', '200', answer);
  const order = await checkOrder(stage, customer, orderId, 'PAYMENT_DONE');
  narrator.tell('What was reserved is sold:');
  await checkBasket(stage, basket, 'sold');
  narrator.trail(order);
  return orderId;
}

async function outOfStock(stage: Stage, customer: string): Promise<string> {
  const { shop, narrator } = stage;
  const basket = await fillBasket(stage, [
    { productId: 'prod-coffee', quantity: 1 },
    { productId: 'prod-grinder', quantity: 2 },
  ]);

  narrator.tell(`${customer} orders ${describe(basket)}. There is one grinder.`);
  const { answer, orderId } = await shop.placeOrder(customer, linesOf(basket));
  narrator.check('the answer to POST /order', '422 OUT_OF_STOCK', answer);
  const order = await checkOrder(stage, customer, orderId, 'INVALID', 'OUT_OF_STOCK');
  narrator.tell('All lines or none: the coffee was not set aside either.');
  await checkBasket(stage, basket, 'available');
  narrator.trail(order);
  return orderId;
}

async function declinedPayment(stage: Stage, customer: string): Promise<string> {
  const { shop, narrator } = stage;
  const basket = await fillBasket(stage, [{ productId: 'prod-grinder', quantity: 1 }]);
  const orderId = await reserve(stage, customer, basket);

  narrator.tell(`${customer} pays; the bank says no. Everything is rolled back.`);
  const { answer } = await shop.pay(customer, orderId, 'tok_declined');
  narrator.check('the answer to POST /payment', '402 PAYMENT_DECLINED', answer);
  const order = await checkOrder(stage, customer, orderId, 'PAYMENT_FAILED', 'DECLINED');
  narrator.tell('The last grinder is for sale again:');
  await checkBasket(stage, basket, 'available');
  narrator.trail(order);
  return orderId;
}

async function expiredReservation(stage: Stage, customer: string): Promise<string> {
  const { shop, narrator } = stage;
  const basket = await fillBasket(stage, [{ productId: 'prod-mug', quantity: 3 }]);
  const orderId = await reserve(stage, customer, basket);

  const minutes = String(RESERVATION_TTL_SECONDS / 60);
  narrator.tell(
    `${customer} goes for a walk. A little more than ${minutes} minutes pass… (The demo moves the clock ahead; ` +
      'timers and schedules fire as they would.)',
  );
  // The dispatcher may end the wait in time; by itself it ends a little later.
  await stage.letPass(reservationWaitSeconds(RESERVATION_TTL_SECONDS));
  const order = await checkOrder(stage, customer, orderId, 'ORDER_FAILED', 'RESERVATION_EXPIRED');
  narrator.tell('Nobody had to do anything for the mugs to be back:');
  await checkBasket(stage, basket, 'available');
  narrator.tell(`${customer} comes back and wants to pay; it is too late.`);
  const { answer } = await shop.pay(customer, orderId, 'tok_ok');
  narrator.check('the answer to POST /payment', '409 ILLEGAL_TRANSITION', answer);
  narrator.trail(order);
  return orderId;
}

async function lostAnswer(stage: Stage, customer: string): Promise<string> {
  const { shop, narrator } = stage;
  const basket = await fillBasket(stage, [{ productId: 'prod-grinder', quantity: 1 }]);
  const orderId = await reserve(stage, customer, basket);

  narrator.tell(
    `${customer} pays. The gateway takes the money, but the connection breaks before its answer ` +
      'arrives: the shop cannot know whether it was paid.',
  );
  const first = await shop.pay(customer, orderId, 'tok_ack_lost', 0);
  narrator.check('the answer to POST /payment', '202', first.answer);
  const paymentId = first.paymentId ?? 'none';
  const status = await shop.eventually(
    () => shop.paymentStatus(customer, paymentId),
    (seen) => seen === 'PENDING',
  );
  narrator.check('the payment', 'PENDING', status);
  await checkOrder(stage, customer, orderId, 'PAYMENT_IN_PROGRESS');
  narrator.check('the charge at the gateway', 'CAPTURED', await chargesInShort(shop, orderId));

  narrator.tell(`${customer} presses Pay again. That payment is still open; no second one begins.`);
  const second = await shop.pay(customer, orderId, 'tok_ok', 0);
  narrator.check(
    'the payment answered',
    'the same one',
    second.paymentId === paymentId ? 'the same one' : 'another one',
  );

  const minutes = String(PAYMENT_ACK_TIMEOUT_SECONDS / 60);
  narrator.tell(
    `${minutes} minutes pass (by the clock, as before) and no acknowledgement comes. Now the ` +
      'shop asks the gateway what became of the payment.',
  );
  await stage.letPass(PAYMENT_ACK_TIMEOUT_SECONDS);
  const order = await checkOrder(stage, customer, orderId, 'PAYMENT_DONE');
  narrator.check('the payment', 'CAPTURED', await shop.paymentStatus(customer, paymentId));
  narrator.check('the only charge', 'CAPTURED', await chargesInShort(shop, orderId));
  await checkBasket(stage, basket, 'sold');
  narrator.trail(order);
  return orderId;
}

interface BasketLine {
  /** As it was before the order. */
  readonly product: Product;
  readonly quantity: number;
}

type Basket = readonly BasketLine[];

/** Prints the stock that the scene starts from. */
async function fillBasket({ shop, narrator }: Stage, lines: readonly Line[]): Promise<Basket> {
  const basket = await Promise.all(
    lines.map(async ({ productId, quantity }) => ({
      product: await shop.product(productId),
      quantity,
    })),
  );
  narrator.tell('Stock before:');
  for (const { product } of basket) narrator.stock(product.name, product);
  return basket;
}

/** Places an order that the stock suffices for, and waits until it is reserved. */
async function reserve(stage: Stage, customer: string, basket: Basket): Promise<string> {
  const { shop, narrator } = stage;
  narrator.tell(`${customer} orders ${describe(basket)}.`);
  const { answer, orderId } = await shop.placeOrder(customer, linesOf(basket));
  narrator.check('the answer to POST /order', '201', answer);
  const order = await checkOrder(stage, customer, orderId, 'PENDING_PAYMENT');
  const total = totalOf(
    basket.map(({ product, quantity }) => ({ quantity, unitPrice: product.unitPrice })),
  );
  narrator.check('the total', formatTotal(total), formatTotal(order.total));
  await checkBasket(stage, basket, 'reserved');
  return orderId;
}

function formatTotal(total: Order['total'] | undefined): string {
  return total === null || total === undefined ? 'unknown' : formatMoney(total);
}

function linesOf(basket: Basket): readonly Line[] {
  return basket.map(({ product, quantity }) => ({ productId: product.productId, quantity }));
}

/** Lists the basket: `2 × Coffee (€12.99) and 1 × Mug (€8.50)`. */
function describe(basket: Basket): string {
  return basket
    .map(
      ({ product, quantity }) =>
        `${String(quantity)} × ${product.name} (${formatMoney(product.unitPrice)})`,
    )
    .join(' and ');
}

async function checkOrder(
  { shop, narrator }: Stage,
  customer: string,
  orderId: string,
  status: string,
  reason?: string,
): Promise<Order> {
  const order = await shop.eventually(
    () => shop.order(customer, orderId),
    (seen) => seen.status === status,
  );
  const inShort = (...parts: readonly (string | null | undefined)[]) =>
    parts.filter((part) => part !== null && part !== undefined).join(', ');
  narrator.check('the order', inShort(status, reason), inShort(order.status, order.reason));
  return order;
}

/** Checks that the basket's units have moved to the expected counters, and that the other counters are unchanged. */
async function checkBasket(
  { shop, narrator }: Stage,
  basket: Basket,
  place: keyof Stock,
): Promise<void> {
  for (const { product: before, quantity } of basket) {
    const { available, reserved, sold } = before;
    const rest = { available: available - quantity, reserved, sold };
    const expected = place === 'available' ? before : { ...rest, [place]: rest[place] + quantity };
    const after = await shop.eventually(
      () => shop.product(before.productId),
      (seen) => seen.available === expected.available && seen[place] === expected[place],
    );
    narrator.checkStock(before.name, expected, after);
  }
}

async function chargesInShort(shop: Shop, orderId: string): Promise<string> {
  const charges = await shop.charges(orderId);
  return charges.map(({ status }) => status).join(', ') || 'none';
}
