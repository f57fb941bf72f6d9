import type { Shop } from './shop.ts';
import type { RecordedEffect, WorldInterceptor } from './world/effect-log.ts';
import { loseAnswer } from './world/faults.ts';

export interface Scenario {
  readonly name: string;
  /** What the user does, and lets happen in between. */
  act(shop: Shop): Promise<void>;
  /** Goes wrong, or happens at the same moment, in every run of it. */
  readonly meanwhile?: Meanwhile;
  /** Calls that never get through. */
  readonly cutOff?: (effect: RecordedEffect) => boolean;
  /** What differs from the defaults. */
  readonly configuration?: Readonly<Record<string, string>>;
}

/** Strikes the first effect that it is for, once. */
export interface Meanwhile {
  readonly on: (effect: RecordedEffect) => boolean;
  readonly act: (shop: Shop, ...call: Parameters<WorldInterceptor>) => Promise<unknown>;
}

const MUG = 'prod-mug';
const one = [{ productId: MUG, quantity: 1 }];
const two = [{ productId: MUG, quantity: 2 }];

const by = (functionKey: string, operation: string) => (effect: RecordedEffect) =>
  effect.by === functionKey && effect.operation === operation;

/** The user's call gets in first. */
const first =
  (call: (shop: Shop) => Promise<unknown>): Meanwhile['act'] =>
  async (shop, _effect, proceed) => {
    await shop.inTheMiddle(() => call(shop));
    return proceed();
  };

const losing: Meanwhile['act'] = (_shop, effect, proceed) => loseAnswer(effect, proceed);

async function reserved(shop: Shop): Promise<void> {
  await shop.place(one);
  await shop.rest();
}

async function paying(shop: Shop, token: string): Promise<void> {
  await reserved(shop);
  await shop.pay(token);
  await shop.rest();
}

/** Withdrawn when it is ordered, on sale again later. */
async function failed(shop: Shop): Promise<void> {
  await shop.place([{ productId: 'prod-retired', quantity: 1 }]);
  await shop.rest();
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'paid', act: (shop) => paying(shop, 'tok_ok') },
  { name: 'declined', act: (shop) => paying(shop, 'tok_declined') },
  {
    name: 'out of stock',
    act: async (shop) => {
      await shop.place([{ productId: 'prod-grinder', quantity: 2 }]);
    },
  },
  {
    name: 'expired',
    act: async (shop) => {
      await reserved(shop);
      await shop.world.advance(901_000);
    },
  },
  {
    name: 'cancelled while CREATED',
    meanwhile: { on: by('placeOrder', 'StartExecution'), act: first((shop) => shop.cancel()) },
    act: reserved,
  },
  {
    name: 'cancelled while reserving',
    meanwhile: { on: by('reserveStock', 'PUT'), act: first((shop) => shop.cancel()) },
    act: reserved,
  },
  {
    name: 'cancelled while waiting for its payment',
    act: async (shop) => {
      await reserved(shop);
      await shop.cancel();
    },
  },
  {
    name: 'cancelled after a declined payment',
    act: async (shop) => {
      await paying(shop, 'tok_declined');
      await shop.cancel();
    },
  },
  {
    name: 'cancelled after it failed',
    act: async (shop) => {
      await failed(shop);
      await shop.cancel();
    },
  },
  {
    name: 'modified while waiting for its payment',
    act: async (shop) => {
      await reserved(shop);
      await shop.modify(two);
      await shop.rest();
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'modified while being paid',
    act: async (shop) => {
      await reserved(shop);
      await shop.pay('tok_never_captured');
      await shop.world.advance(5000);
      await shop.modify(two);
      await shop.rest();
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'modified after a declined payment',
    act: async (shop) => {
      await paying(shop, 'tok_declined');
      await shop.modify(two);
      await shop.retryPayment('tok_ok');
    },
  },
  {
    name: 'order retried',
    act: async (shop) => {
      await failed(shop);
      await shop.changeProduct('prod-retired', { active: true });
      await shop.retryOrder();
      await shop.rest();
      await shop.pay('tok_ok');
    },
  },
  {
    name: 'payment retried',
    act: async (shop) => {
      await paying(shop, 'tok_declined');
      await shop.retryPayment('tok_ok');
    },
  },
  { name: 'acknowledged', act: (shop) => paying(shop, 'tok_async') },
  { name: 'acknowledged twice', act: (shop) => paying(shop, 'tok_ack_twice') },
  { name: 'acknowledged late', act: (shop) => paying(shop, 'tok_ack_late') },
  { name: 'acknowledgement lost', act: (shop) => paying(shop, 'tok_ack_lost') },
  { name: 'never captured', act: (shop) => paying(shop, 'tok_never_captured') },
  {
    name: 'answer of Inventory lost',
    meanwhile: { on: by('reserveStock', 'PUT'), act: losing },
    act: (shop) => paying(shop, 'tok_ok'),
  },
  {
    name: 'answer of the gateway lost',
    meanwhile: { on: by('chargePayment', 'POST'), act: losing },
    act: (shop) => paying(shop, 'tok_ok'),
  },
  {
    name: 'captured after it was given up',
    // Nobody can ask what became of the payment; that it was captured is only found when it is voided.
    cutOff: ({ kind, operation, target }) =>
      kind === 'http' && operation === 'GET' && target.includes('/gateway/'),
    configuration: { RETRY_MAX_ATTEMPTS: '1' },
    act: (shop) => paying(shop, 'tok_ack_lost'),
  },
];
