import { MAX_RUNS_PER_ORDER } from '../../limits.ts';
import { type AcknowledgementQueue, acknowledgementQueue } from '../../payments/acknowledgement.ts';
import { owesGateway, type Payment } from '../../payments/payment.ts';
import { assertNever } from '../../platform/errors.ts';
import type { Runtime } from '../../platform/lambda/runtime.ts';
import { touchOrder } from '../moves.ts';
import type { Order, OrderFailedOrder } from '../order.ts';
import {
  type OrderService,
  operatorMove,
  orderServiceWith,
  retryOnConflict,
} from '../order-service.ts';
import { runAgain } from '../retry-order.ts';
import { isExhaustion } from '../saga/reject-reservation.ts';
import { sagaClient } from '../saga-client.ts';
import { startSaga } from '../start-and-wake.ts';
import type { Letter } from './dead-letters.ts';
import { type OwedOrder, pushSaga } from './dispatch-due-work.ts';
import type { CompensationRequest } from './saga-queues.ts';
import { sagaQueues } from './saga-queues.ts';

/** Why a letter has nothing left to do, so that it is only removed. */
export type NothingToDo =
  /** The order has come to rest by itself and owes nothing. */
  | 'SETTLED'
  /** A later run, the system's or the user's, has looked after the order. */
  | 'LATER_RUN'
  /** The payment failed, and how to pay is no longer known: only its user can try again. */
  | 'ONLY_ITS_USER'
  /** The order failed in the last run that it may have. */
  | 'NO_RUN_LEFT'
  /** What was to be given back has been. */
  | 'GIVEN_BACK';

/** Why nothing can be done for a letter now, so that it stays where it is. */
export type Undoable =
  /** Not a message of this version of the service. */
  | 'UNREADABLE'
  /** The order is not in this stage's table. */
  | 'UNKNOWN_ORDER'
  /** The payment is not: sent again, its acknowledgement would only end here again. */
  | 'UNKNOWN_PAYMENT';

/** What redriving a letter does. All but `KEEP` end with the letter being removed. */
export type Redrive =
  /** `ORDER_FAILED` → `CREATED`, and its next run is started. */
  | { readonly action: 'RUN_AGAIN'; readonly order: OrderFailedOrder }
  /** The system owes the order its next move: its saga is woken, or run again if it has ended. */
  | { readonly action: 'MOVE_ON'; readonly order: OwedOrder }
  /** Stock or money is still owed: the compensation queue is asked again. */
  | { readonly action: 'COMPENSATE'; readonly request: CompensationRequest }
  | {
      readonly action: 'ACKNOWLEDGE';
      readonly acknowledgement: Parameters<AcknowledgementQueue['add']>[0];
    }
  | { readonly action: 'NOTHING'; readonly why: NothingToDo }
  | { readonly action: 'KEEP'; readonly why: Undoable };

/** What is stored about a letter's order, and about the payment that the letter is for. */
export interface Stored {
  readonly order: Order | undefined;
  readonly payment: Payment | undefined;
}

/** What redriving works with: the Order Service, and the queue that acknowledgements came from. */
export interface RedriveService {
  readonly service: OrderService<'saga' | 'queues'>;
  readonly acknowledgements: AcknowledgementQueue;
}

export function redriveService(runtime: Runtime): RedriveService {
  const withPorts = orderServiceWith({ saga: sagaClient, queues: sagaQueues });
  return { service: withPorts(runtime), acknowledgements: acknowledgementQueue(runtime) };
}

/**
 * Reads what a letter is about, consistently: its order, and the payment it names or else the
 * order's latest.
 * @throws InfrastructureUnavailable
 */
export async function lookAt({ orders, payments }: OrderService, letter: Letter): Promise<Stored> {
  const named = namedBy(letter);
  const order = named.orderId === undefined ? undefined : await orders.getOrder(named.orderId);
  const paymentId = named.paymentId ?? order?.paymentId;
  const payment = paymentId === undefined ? undefined : await payments.getPayment(paymentId);
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
      // What it says of its order may be shown, but is never acted on.
      return { orderId: letter.orderId };
    default:
      return assertNever(letter);
  }
}

/**
 * Decides by what is stored now what a letter calls for, never by the letter alone: since it was
 * written the order may have been run again, cancelled, paid or given up.
 * @param isNamed whether the operator asked for this very letter: then an acknowledgement of an
 * unknown payment is sent again all the same.
 */
export function decideRedrive(letter: Letter, stored: Stored, isNamed: boolean): Redrive {
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
      const isKnown = stored.payment?.orderId === acknowledgement.orderId;
      return isKnown || isNamed
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
      // An order that moves on does not look after a payment that it has left behind.
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

/** Asks again for what a resting order, or the payment a letter is for, still owes. */
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
 * Redrives one letter; afterwards, unless it answers `KEEP`, the letter is to be removed. The effect
 * comes first and is safe to repeat: a crash in between, a second redrive, or a second operator at
 * the same moment finds it done, decides by what is then stored, and does no harm.
 * @returns what was done.
 * @throws InfrastructureUnavailable: whether it was done is unknown; redrive it again.
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
        const move = operatorMove(service, 'ORDER_REDRIVEN');
        await startSaga(service, await runAgain(service, decision.order, move));
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
 * As the dispatcher would, but at once. Where no run is left the dispatcher itself brings the order
 * to rest, which takes the service's own way to Inventory and the gateway: the order becomes due now.
 */
async function moveOn(service: OrderService<'saga'>, order: OwedOrder): Promise<void> {
  if ((await pushSaga(service, order)) !== 'NO_RUN_LEFT') return;
  const dueAtMs = service.clock.now();
  if (order.dueAtMs > dueAtMs)
    await service.orders.save(touchOrder<Order>(order, { dueAtMs }), order);
}
