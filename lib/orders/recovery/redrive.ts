import { MAX_RUNS_PER_ORDER } from '../../limits.ts';
import { type AcknowledgementQueue, acknowledgementQueue } from '../../payments/acknowledgement.ts';
import { owesGateway, type Payment } from '../../payments/payment.ts';
import { isUnreadable } from '../../platform/dynamo/items.ts';
import { assertNever } from '../../platform/errors.ts';
import type { Runtime } from '../../platform/lambda/runtime.ts';
import { touchOrder } from '../moves.ts';
import type { Order, OrderFailedOrder } from '../order.ts';
import { currentPayment, paymentOf } from '../order-payments.ts';
import { moveNow, type OrderService, orderServiceWith, retryOnConflict } from '../order-service.ts';
import { runAgain } from '../retry-order.ts';
import { isExhaustion } from '../saga/reject-reservation.ts';
import { sagaClient, tryNow } from '../saga-client.ts';
import type { Letter } from './dead-letters.ts';
import { type OwedOrder, pushSaga } from './dispatch-due-work.ts';
import type { CompensationRequest } from './saga-queues.ts';
import { sagaQueues } from './saga-queues.ts';

/** Reason why a letter is removed without any effect. */
export type NothingToDo =
  /** The order is at rest and owes nothing. */
  | 'SETTLED'
  /** A later run of the system or the user has looked after the order. */
  | 'LATER_RUN'
  /** The payment failed and its method token is gone: only its user can retry it. */
  | 'ONLY_ITS_USER'
  /** The order failed in the last run that it may have. */
  | 'NO_RUN_LEFT'
  /** Nothing is owed any more. */
  | 'GIVEN_BACK';

/** Reason why a letter stays in its queue. */
export type Undoable =
  /** The stored order is malformed, or another version of the service has written it. */
  | 'UNREADABLE_ITEM'
  /** Not a message of this version of the service. */
  | 'UNREADABLE'
  /** The order is not in this stage's table. */
  | 'UNKNOWN_ORDER'
  /**
   * The payment is not in this stage's table either: sent again, its acknowledgement would end here
   * again.
   */
  | 'UNKNOWN_PAYMENT';

/** Effect of redriving a letter. All but `KEEP` end with the removal of the letter. */
export type Redrive =
  /** `ORDER_FAILED` → `CREATED`, and its next run is started. */
  | { readonly action: 'RUN_AGAIN'; readonly order: OrderFailedOrder }
  /** The system owes the next move: signals the saga, or starts a new run if it has ended. */
  | { readonly action: 'MOVE_ON'; readonly order: OwedOrder }
  /** Stock or money is still owed: asks the compensation queue again. */
  | { readonly action: 'COMPENSATE'; readonly request: CompensationRequest }
  | {
      readonly action: 'ACKNOWLEDGE';
      readonly acknowledgement: Parameters<AcknowledgementQueue['add']>[0];
    }
  | { readonly action: 'NOTHING'; readonly why: NothingToDo }
  | { readonly action: 'KEEP'; readonly why: Undoable };

/** Stored order and payment of a letter. */
export interface Stored {
  readonly order: Order | undefined;
  readonly payment: Payment | undefined;
  /** Says what is wrong with an order that cannot be read; both are undefined then. */
  readonly problem?: string;
}

/** Dependencies of redriving: the Order Service, and the queue that acknowledgements came from. */
export interface RedriveService {
  readonly service: OrderService<'saga' | 'queues'>;
  readonly acknowledgements: AcknowledgementQueue;
}

export function redriveService(runtime: Runtime): RedriveService {
  const withPorts = orderServiceWith({ saga: sagaClient, queues: sagaQueues });
  return { service: withPorts(runtime), acknowledgements: acknowledgementQueue(runtime) };
}

/**
 * Reads a letter's order consistently, and takes the payment that the letter names, otherwise the latest.
 * @throws InfrastructureUnavailable
 */
export async function lookAt({ orders }: OrderService, letter: Letter): Promise<Stored> {
  try {
    return await storedOf({ orders }, letter);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return { order: undefined, payment: undefined, problem: error.message };
  }
}

async function storedOf({ orders }: Pick<OrderService, 'orders'>, letter: Letter): Promise<Stored> {
  const named = namedBy(letter);
  const order = named.orderId === undefined ? undefined : await orders.getOrder(named.orderId);
  if (order === undefined) return { order, payment: undefined };
  const { paymentId } = named;
  const payment = paymentId === undefined ? currentPayment(order) : paymentOf(order, paymentId);
  return { order, payment };
}

function namedBy(letter: Letter): {
  readonly orderId?: string | undefined;
  readonly paymentId?: string | undefined;
} {
  switch (letter.kind) {
    case 'SAGA':
    case 'COMPENSATION':
      return letter;
    case 'ACKNOWLEDGEMENT':
      return letter.acknowledgement;
    case 'UNREADABLE':
      // An order id of an unreadable letter is only shown, never acted on.
      return { orderId: letter.orderId };
    default:
      return assertNever(letter);
  }
}

/**
 * Decides by what is stored now, never by the letter alone: since then the order may have been run again,
 * cancelled, paid or given up.
 * @param isNamed true if the operator named this letter: then an acknowledgement of an unknown payment is
 * sent again, too.
 */
export function decideRedrive(letter: Letter, stored: Stored, isNamed: boolean): Redrive {
  if (stored.problem !== undefined) return { action: 'KEEP', why: 'UNREADABLE_ITEM' };
  switch (letter.kind) {
    case 'SAGA':
      return stored.order === undefined
        ? { action: 'KEEP', why: 'UNKNOWN_ORDER' }
        : afterSagaStep(letter, stored.order, stored.payment);
    case 'COMPENSATION':
      if (stored.order === undefined) return { action: 'KEEP', why: 'UNKNOWN_ORDER' };
      return (
        compensation(letter, stored.order, stored.payment) ?? {
          action: 'NOTHING',
          why: 'GIVEN_BACK',
        }
      );
    case 'ACKNOWLEDGEMENT': {
      const { acknowledgement } = letter;
      return stored.payment !== undefined || isNamed
        ? { action: 'ACKNOWLEDGE', acknowledgement }
        : { action: 'KEEP', why: 'UNKNOWN_PAYMENT' };
    }
    case 'UNREADABLE':
      return { action: 'KEEP', why: 'UNREADABLE' };
    default:
      return assertNever(letter);
  }
}

type SagaLetter = Extract<Letter, { kind: 'SAGA' }>;

function afterSagaStep(letter: SagaLetter, order: Order, payment: Payment | undefined): Redrive {
  switch (order.status) {
    case 'CREATED':
    case 'PENDING_RESERVING_STOCK':
    case 'PENDING_PAYMENT':
    case 'PAYMENT_IN_PROGRESS':
      // An order that moves on does not look after its earlier payments.
      return (
        (letter.paymentId === undefined ? undefined : compensation(letter, order, payment)) ?? {
          action: 'MOVE_ON',
          order,
        }
      );
    case 'ORDER_FAILED': {
      const isItsFailure = letter.run === order.run && isExhaustion(order.reason);
      if (isItsFailure && order.run < MAX_RUNS_PER_ORDER) return { action: 'RUN_AGAIN', order };
      const why = isItsFailure ? 'NO_RUN_LEFT' : whySettled(letter, order);
      return compensation(letter, order, payment) ?? { action: 'NOTHING', why };
    }
    case 'PAYMENT_FAILED':
      return compensation(letter, order, payment) ?? { action: 'NOTHING', why: 'ONLY_ITS_USER' };
    case 'PAYMENT_DONE':
    case 'INVALID':
    case 'ORDER_CANCELLED':
      return (
        compensation(letter, order, payment) ?? {
          action: 'NOTHING',
          why: whySettled(letter, order),
        }
      );
    default:
      return assertNever(order);
  }
}

function whySettled(letter: SagaLetter, order: Order): NothingToDo {
  return letter.run < order.run ? 'LATER_RUN' : 'SETTLED';
}

/** Request for what a resting order, or the payment of the letter, still owes; undefined if nothing. */
function compensation(
  letter: Pick<SagaLetter, 'paymentId'>,
  order: Order,
  payment: Payment | undefined,
): Redrive | undefined {
  const owesStock = 'releaseOwed' in order;
  const owesMoney = payment !== undefined && owesGateway(payment);
  if (!owesStock && !owesMoney) return undefined;
  const { orderId, run, correlationId } = order;
  const { paymentId } = letter;
  const request = {
    orderId,
    run,
    correlationId,
    ...(paymentId === undefined ? {} : { paymentId }),
  };
  return { action: 'COMPENSATE', request };
}

/**
 * Redrives one letter; the caller then removes it, unless the result is `KEEP`. The effect comes first
 * and is safe to repeat after a crash, by a second redrive or by a second operator.
 * @returns the effect.
 * @throws InfrastructureUnavailable: the outcome is unknown; redrive it again.
 */
export function redrive(
  { service, acknowledgements }: RedriveService,
  letter: Letter,
  isNamed: boolean,
): Promise<Redrive> {
  return retryOnConflict(service, async () => {
    const decision = decideRedrive(letter, await lookAt(service, letter), isNamed);
    switch (decision.action) {
      case 'RUN_AGAIN': {
        const move = moveNow(service, 'ORDER_REDRIVEN', 'operator');
        const next = await runAgain(service, decision.order, move);
        await tryNow(next, service.saga.start(next));
        break;
      }
      case 'MOVE_ON':
        await moveOn(service, decision.order);
        break;
      case 'COMPENSATE':
        await service.queues.requestCompensation(decision.request);
        break;
      case 'ACKNOWLEDGE':
        await acknowledgements.add(decision.acknowledgement);
        break;
      case 'NOTHING':
      case 'KEEP':
        break;
      default:
        assertNever(decision);
    }
    return decision;
  });
}

/**
 * Moves the order on at once, as the dispatcher would later. Without a run left the order becomes due
 * now: the dispatcher brings it to rest, because that needs Inventory and the gateway.
 */
async function moveOn(service: OrderService<'saga'>, order: OwedOrder): Promise<void> {
  if ((await pushSaga(service, order)) !== 'NO_RUN_LEFT') return;
  const dueAtMs = service.clock.now();
  if (order.dueAtMs > dueAtMs)
    await service.orders.save(touchOrder<Order>(order, { dueAtMs }), order);
}
