import { beforeEach, describe, expect, test } from 'vitest';
import {
  acknowledge,
  handleAcknowledgement,
} from '../../../../lib/orders/handle-acknowledgement.ts';
import type { Order, PaymentInProgressOrder } from '../../../../lib/orders/order.ts';
import { deadlinesOf } from '../../../../lib/orders/recovery/deadlines.ts';
import type { WholeOrderService } from '../../../../lib/orders/whole-order-service.ts';
import type { Acknowledgement } from '../../../../lib/payments/acknowledgement.ts';
import type { Payment, PaymentStatus } from '../../../../lib/payments/payment.ts';
import type { AskedCharge, ChargeOutcome } from '../../../../lib/payments/payment-gateway.ts';
import { GatewayUnavailable } from '../../../../lib/payments/refusals.ts';
import { readConfig } from '../../../../lib/platform/config.ts';
import { ConcurrentUpdate, InfrastructureUnavailable } from '../../../../lib/platform/errors.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';
import { REQUIRED } from '../platform/environment.ts';

/** 2026-03-01T12:00:00Z. */
const NOW_MS = 1_772_366_400_000;
const AT = '2026-03-01T12:00:00.000Z';
const DISPATCH_MS = 30_000;

const config = readConfig(REQUIRED);

type Stored = PaymentStatus | 'FAILED, void owed' | 'CAPTURED, refund owed';

const FIELDS: Readonly<Record<Stored, Readonly<Record<string, unknown>>>> = {
  INITIATED: { methodId: 'met_1' },
  PENDING: { methodId: 'met_1', acknowledgeByMs: NOW_MS },
  CAPTURED: {},
  'CAPTURED, refund owed': { refundOwed: { reason: 'RESERVATION_GONE', dueAtMs: 1 } },
  DECLINED: { code: 'INSUFFICIENT_FUNDS' },
  VOIDED: { code: 'PAYMENT_VOIDED' },
  REFUNDED: { code: 'LATE_CAPTURE' },
  FAILED: { code: 'PAYMENT_UNCONFIRMED' },
  'FAILED, void owed': { code: 'PAYMENT_UNCONFIRMED', voidOwed: { dueAtMs: 1 } },
};

function paymentIn(stored: Stored): Payment {
  const status = stored.split(',')[0];
  return {
    paymentId: 'pay_1',
    attempt: 1,
    revision: 1,
    amount: { amount: 2598, currency: 'EUR' },
    createdAtMs: NOW_MS - 1000,
    history: [{ from: null, to: status, reason: 'TEST', at: AT }],
    status,
    ...FIELDS[stored],
  } as unknown as Payment;
}

const PAYING: PaymentInProgressOrder = {
  status: 'PAYMENT_IN_PROGRESS',
  orderId: 'ord_1',
  userId: 'alice',
  correlationId: 'corr-1',
  createdAtMs: NOW_MS - 60_000,
  version: 7,
  writes: 17,
  revision: 1,
  heldRevision: 1,
  run: 2,
  items: [],
  placedAs: 'items_1',
  modifications: 0,
  total: { amount: 2598, currency: 'EUR' },
  payments: [paymentIn('INITIATED')],
  reservationExpiresAtMs: NOW_MS + 600_000,
  dueAtMs: NOW_MS + 300_000,
  history: [],
};

const EVENT: Acknowledgement = {
  eventId: 'evt_1',
  type: 'charge.updated',
  paymentId: 'pay_1',
  orderId: 'ord_1',
};

/** Everything that an acknowledgement affects, in memory, with a record of the effects in order. */
class World {
  order: Order;
  waitToken: string | undefined = 'gateway-wait';
  /** Answer of the gateway when it is asked; undefined: it has no such charge. */
  charge: ChargeOutcome | undefined;
  readonly effects: string[] = [];
  /** Called with each effect's text before it; may throw, or change the stored state as a rival. */
  interfere: (effect: string) => void = () => undefined;

  constructor(stored: Stored) {
    this.order = { ...PAYING, payments: [paymentIn(stored)] };
  }

  get payment(): Payment {
    return this.order.payments[0];
  }

  /** Writes the payment as a rival. */
  put(stored: Stored): void {
    const { writes } = this.order;
    this.order = { ...this.order, payments: [paymentIn(stored)], writes: writes + 1 };
  }

  get service(): WholeOrderService {
    const orders: Partial<WholeOrderService['orders']> = {
      getOrder: (orderId) => Promise.resolve(orderId === 'ord_1' ? this.order : undefined),
      save: async (next, previous) => {
        await this.#do(`save ${next.payments[0].status}`);
        if (previous.writes !== this.order.writes) throw new ConcurrentUpdate('Changed meanwhile.');
        this.order = next;
      },
      getWaitToken: () => Promise.resolve(this.waitToken),
    };
    return {
      orders,
      gateway: {
        findCharge: async ({ paymentId, amount }: AskedCharge) => {
          await this.#do(`ask ${paymentId} ${String(amount.amount)} ${amount.currency}`);
          return this.charge;
        },
      },
      saga: {
        signal: async (token: string) => {
          await this.#do(`signal ${token}`);
          return 'SIGNALLED';
        },
      },
      queues: {
        requestCompensation: (request: object) =>
          this.#do(`request compensation ${JSON.stringify(request)}`),
      },
      clock: {
        now: () => NOW_MS,
        schedule: (_delayMs: number, callback: () => void) => {
          queueMicrotask(callback);
          return () => undefined;
        },
      },
      random: () => 0,
      config,
      deadlines: deadlinesOf(config),
    } as unknown as WholeOrderService;
  }

  /** Handles an event of a charge that has this status at the gateway. */
  async told(
    status: ChargeOutcome['status'],
    { event = EVENT, code = 'DECLINED' }: { event?: Acknowledgement; code?: string } = {},
  ): Promise<Payment> {
    this.charge = status === 'DECLINED' ? { status, code } : { status };
    return (await acknowledge(this.service, event)).payment;
  }

  /** Effects but for the question to the gateway. */
  get changes(): string[] {
    return this.effects.filter((effect) => effect !== ASK);
  }

  async #do(effect: string): Promise<void> {
    await Promise.resolve();
    this.interfere(effect);
    this.effects.push(effect);
  }
}

const ASK = 'ask pay_1 2598 EUR';
const REFUND =
  'request compensation {"orderId":"ord_1","run":2,"correlationId":"corr-1","paymentId":"pay_1"}';

describe('what a payment becomes', () => {
  const LATE = 'CAPTURED, LATE_CAPTURE owed';
  type Row = readonly [Stored, ChargeOutcome['status'], string];

  /** By hand; `=` means that nothing is written. */
  const table: readonly Row[] = [
    ['INITIATED', 'PENDING', '='],
    ['INITIATED', 'CAPTURED', 'CAPTURED'],
    ['INITIATED', 'DECLINED', 'DECLINED'],
    ['INITIATED', 'VOIDED', 'VOIDED'],
    ['INITIATED', 'REFUNDED', 'VOIDED'],
    ['PENDING', 'PENDING', '='],
    ['PENDING', 'CAPTURED', 'CAPTURED'],
    ['PENDING', 'DECLINED', 'DECLINED'],
    ['PENDING', 'VOIDED', 'VOIDED'],
    ['PENDING', 'REFUNDED', 'VOIDED'],
    ['CAPTURED', 'PENDING', '='],
    ['CAPTURED', 'CAPTURED', '='],
    ['CAPTURED', 'DECLINED', '='],
    ['CAPTURED', 'VOIDED', '='],
    ['CAPTURED', 'REFUNDED', '='],
    ['CAPTURED, refund owed', 'PENDING', '='],
    ['CAPTURED, refund owed', 'CAPTURED', '='],
    ['CAPTURED, refund owed', 'DECLINED', '='],
    ['CAPTURED, refund owed', 'VOIDED', '='],
    ['CAPTURED, refund owed', 'REFUNDED', '='],
    ['DECLINED', 'PENDING', '='],
    ['DECLINED', 'CAPTURED', LATE],
    ['DECLINED', 'DECLINED', '='],
    ['DECLINED', 'VOIDED', '='],
    ['DECLINED', 'REFUNDED', '='],
    ['VOIDED', 'PENDING', '='],
    ['VOIDED', 'CAPTURED', LATE],
    ['VOIDED', 'DECLINED', '='],
    ['VOIDED', 'VOIDED', '='],
    ['VOIDED', 'REFUNDED', '='],
    ['REFUNDED', 'PENDING', '='],
    ['REFUNDED', 'CAPTURED', '='],
    ['REFUNDED', 'DECLINED', '='],
    ['REFUNDED', 'VOIDED', '='],
    ['REFUNDED', 'REFUNDED', '='],
    ['FAILED', 'PENDING', '='],
    ['FAILED', 'CAPTURED', LATE],
    ['FAILED', 'DECLINED', '='],
    ['FAILED', 'VOIDED', '='],
    ['FAILED', 'REFUNDED', '='],
    ['FAILED, void owed', 'PENDING', '='],
    ['FAILED, void owed', 'CAPTURED', LATE],
    ['FAILED, void owed', 'DECLINED', 'DECLINED'],
    ['FAILED, void owed', 'VOIDED', 'VOIDED'],
    ['FAILED, void owed', 'REFUNDED', 'VOIDED'],
  ];

  test.each(table)('%s, told %s: %s', async (stored, status, expected) => {
    const world = new World(stored);
    const { order } = world;

    const payment = await world.told(status);

    expect(payment).toEqual(world.payment);
    if (expected === '=') {
      expect(world.order).toEqual(order);
      expect(world.effects.filter((effect) => effect.startsWith('save'))).toEqual([]);
      return;
    }
    const owed = 'refundOwed' in payment ? `, ${payment.refundOwed.reason} owed` : '';
    expect(`${payment.status}${owed}`).toBe(expected);
    expect(world.order).toMatchObject({ version: 7, writes: 18 });
    expect(payment).not.toHaveProperty('methodId');
    expect(payment.history).toHaveLength(2);
  });

  test('a refusal keeps its code', async () => {
    const code = 'INSUFFICIENT_FUNDS';
    expect(await new World('PENDING').told('DECLINED', { code })).toMatchObject({ code });
  });

  test('captured with another amount is owed back', async () => {
    expect(await new World('PENDING').told('MISCHARGED')).toMatchObject({
      status: 'CAPTURED',
      refundOwed: { reason: 'AMOUNT_MISMATCH' },
    });
  });
});

describe('the waiting saga', () => {
  test('is signalled after the write that leaves its order due soon, which nobody sees', async () => {
    const world = new World('PENDING');
    await world.told('CAPTURED');
    expect(world.changes).toEqual(['save CAPTURED', 'signal gateway-wait']);
    expect(world.order).toEqual({
      ...PAYING,
      writes: 18,
      payments: [world.payment],
      dueAtMs: NOW_MS + DISPATCH_MS,
    });
  });

  test('leaves its order due soon when the signal is lost', async () => {
    const world = new World('PENDING');
    world.interfere = (effect) => {
      if (effect.startsWith('signal')) throw new InfrastructureUnavailable('Lost.');
    };
    await world.told('DECLINED');
    expect(world.order).toMatchObject({
      status: 'PAYMENT_IN_PROGRESS',
      dueAtMs: NOW_MS + DISPATCH_MS,
    });
  });

  test('has its order never due later than it was', async () => {
    const world = new World('PENDING');
    world.order = { ...PAYING, payments: [paymentIn('PENDING')], dueAtMs: NOW_MS - 5 };
    await world.told('CAPTURED');
    expect(world.order).toMatchObject({ dueAtMs: NOW_MS - 5 });
  });

  test('that waits for nothing yet finds the payment settled; its order is due soon', async () => {
    const world = new World('INITIATED');
    world.waitToken = undefined;
    await world.told('CAPTURED');
    expect(world.changes).toEqual(['save CAPTURED']);
    expect(world.order).toMatchObject({ dueAtMs: NOW_MS + DISPATCH_MS });
  });

  test('is not disturbed by what changes nothing for it', async () => {
    const world = new World('PENDING');
    await world.told('PENDING');
    expect(world.changes).toEqual([]);
  });

  test.each<[string, Order]>([
    [
      'pays with another payment',
      {
        ...PAYING,
        payments: [paymentIn('PENDING'), { ...paymentIn('PENDING'), paymentId: 'pay_2' }],
      },
    ],
    [
      'waits for its user again',
      { ...PAYING, status: 'PENDING_PAYMENT', payments: [paymentIn('PENDING')] },
    ],
  ])('of an order that %s is left alone', async (_what, order) => {
    const world = new World('PENDING');
    world.order = order;
    await world.told('VOIDED');
    expect(world.changes).toEqual(['save VOIDED']);
    const [, ...others] = order.payments;
    expect(world.order).toEqual({ ...order, writes: 18, payments: [world.payment, ...others] });
  });
});

describe('a capture of a payment that was given up', () => {
  test('is stored as owed back, due, and asked to be refunded at once', async () => {
    const world = new World('VOIDED');
    const { dueAtMs: _dueAtMs, ...rest } = PAYING;
    const payments = [paymentIn('VOIDED')] as const;
    world.order = { ...rest, payments, status: 'PAYMENT_FAILED', reason: 'PAYMENT_VOIDED' };
    await world.told('CAPTURED');
    expect(world.payment).toMatchObject({
      status: 'CAPTURED',
      refundOwed: { reason: 'LATE_CAPTURE', dueAtMs: NOW_MS + DISPATCH_MS },
    });
    expect(world.changes).toEqual(['save CAPTURED', REFUND]);
  });

  test('is asked for again by the next delivery where the first could not', async () => {
    const world = new World('FAILED, void owed');
    world.interfere = (effect) => {
      if (effect === REFUND) throw new InfrastructureUnavailable('The queue is gone.');
    };
    const first = world.told('CAPTURED');
    await expect(first).rejects.toThrow('The queue is gone.');
    world.interfere = () => undefined;
    await world.told('CAPTURED');
    expect(world.effects.at(-1)).toBe(REFUND);
    expect(world.order.writes).toBe(18);
  });

  test('that was refunded since is not asked for again', async () => {
    const world = new World('REFUNDED');
    await world.told('CAPTURED');
    expect(world.effects).not.toContain(REFUND);
  });
});

describe('an event', () => {
  test('only makes the gateway be asked, about this payment and its amount', async () => {
    const world = new World('PENDING');
    await world.told('CAPTURED');
    expect(world.effects[0]).toBe(ASK);
  });

  test('of a charge that the gateway does not know is tried again', async () => {
    const world = new World('PENDING');
    await expect(acknowledge(world.service, EVENT)).rejects.toHaveProperty(
      'name',
      'GatewayUnknown',
    );
    expect(world.changes).toEqual([]);
  });

  test('is tried again if the gateway cannot be asked', async () => {
    const world = new World('PENDING');
    world.interfere = (effect) => {
      if (effect === ASK) throw new GatewayUnavailable('503');
    };
    const tried = acknowledge(world.service, EVENT);
    await expect(tried).rejects.toHaveProperty('name', 'GatewayUnavailable');
    expect(world.payment.status).toBe('PENDING');
  });

  test('that comes again changes nothing', async () => {
    const world = new World('PENDING');
    await world.told('CAPTURED');
    const { order } = world;
    await world.told('CAPTURED');
    expect(world.order).toEqual(order);
  });

  test('that comes twice at once has one effect', async () => {
    const world = new World('PENDING');
    const both = await Promise.all([world.told('CAPTURED'), world.told('CAPTURED')]);
    expect(both.map(({ status }) => status)).toEqual(['CAPTURED', 'CAPTURED']);
    expect(world.order.writes).toBe(18);
  });

  test('that meets the wait being stored is decided again and signals that wait', async () => {
    const world = new World('INITIATED');
    let isFirst = true;
    world.interfere = (effect) => {
      if (!effect.startsWith('save') || !isFirst) return;
      isFirst = false;
      world.put('PENDING');
      world.waitToken = 'gateway-wait';
    };
    world.waitToken = 'user-wait';
    await world.told('CAPTURED');
    expect(world.payment).toMatchObject({ status: 'CAPTURED' });
    expect(world.effects.at(-1)).toBe('signal gateway-wait');
  });

  test('that meets the payment being given up owes the refund', async () => {
    const world = new World('PENDING');
    world.interfere = (effect) => {
      if (effect === 'save CAPTURED' && world.payment.status === 'PENDING') {
        world.put('FAILED, void owed');
      }
    };
    await world.told('CAPTURED');
    expect(world.payment).toMatchObject({ refundOwed: { reason: 'LATE_CAPTURE' } });
    expect(world.effects.at(-1)).toBe(REFUND);
  });

  test.each([
    ['payment', { paymentId: 'pay_9' }],
    ['order', { orderId: 'ord_9' }],
  ])('of another %s is refused by name', async (_what, changes) => {
    const world = new World('PENDING');
    const refused = world.told('CAPTURED', { event: { ...EVENT, ...changes } });
    await expect(refused).rejects.toHaveProperty('name', 'UnknownPayment');
    expect(world.changes).toEqual([]);
  });
});

describe('the consumer', () => {
  interface Command {
    readonly QueueUrl: string;
    readonly VisibilityTimeout?: number;
    readonly MessageBody?: string;
  }
  let commands: Command[];
  let runtime: Runtime;

  beforeEach(() => {
    commands = [];
    const send = ({ input }: { input: Command }) => {
      commands.push(input);
      return Promise.resolve({});
    };
    const clock = { now: () => NOW_MS };
    runtime = { config, clock, aws: { clients: { queues: { send } } } } as unknown as Runtime;
  });

  const handle = (world: World, body: string, receiveCount: number) =>
    handleAcknowledgement(world.service, runtime, { body, receiptHandle: 'handle', receiveCount });
  const letters = () =>
    commands
      .filter(({ QueueUrl }) => QueueUrl === config.ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE_URL)
      .map(({ MessageBody }) => JSON.parse(MessageBody ?? '') as unknown);

  const UNKNOWN = JSON.stringify({
    ...EVENT,
    paymentId: 'pay_9',
    receivedAs: 'hook-1',
  });

  test('tries again later what it cannot handle', async () => {
    const tried = handle(new World('PENDING'), UNKNOWN, 1);
    await expect(tried).rejects.toHaveProperty('name', 'UnknownPayment');
    expect(commands).toEqual([
      {
        QueueUrl: config.ACKNOWLEDGEMENT_QUEUE_URL,
        ReceiptHandle: 'handle',
        VisibilityTimeout: 5,
      },
    ]);
  });

  test('at the last try leaves a dead letter in the trace of the order', async () => {
    await handle(new World('PENDING'), UNKNOWN, 8);
    expect(letters()).toEqual([
      {
        orderId: 'ord_1',
        run: 2,
        correlationId: 'corr-1',
        step: 'handle-acknowledgement',
        error: 'UnknownPayment',
        at: AT,
        body: UNKNOWN,
      },
    ]);
  });

  test('of an order that nobody knows says which request brought it', async () => {
    const stranger = UNKNOWN.replace('ord_1', 'ord_9');
    await handle(new World('PENDING'), stranger, 8);
    expect(letters()).toEqual([
      {
        orderId: 'ord_9',
        correlationId: 'hook-1',
        step: 'handle-acknowledgement',
        error: 'UnknownPayment',
        at: AT,
        body: stranger,
      },
    ]);
  });

  test('leaves its dead letter even where the order cannot be read', async () => {
    const world = new World('PENDING');
    const gone = () => Promise.reject(new InfrastructureUnavailable('No database.'));
    const service = {
      ...world.service,
      orders: { getOrder: gone },
    } as unknown as WholeOrderService;
    const message = { body: UNKNOWN, receiptHandle: 'handle', receiveCount: 8 };
    await handleAcknowledgement(service, runtime, message);
    expect(letters()).toEqual([
      expect.objectContaining({
        orderId: 'ord_1',
        correlationId: 'hook-1',
        error: 'InfrastructureUnavailable',
      }),
    ]);
  });

  test('is done with what it could handle', async () => {
    const world = new World('PENDING');
    world.charge = { status: 'CAPTURED' };
    await handle(world, JSON.stringify({ ...EVENT, receivedAs: 'c' }), 8);
    expect(commands).toEqual([]);
    expect(world.payment.status).toBe('CAPTURED');
  });
});
