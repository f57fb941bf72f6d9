import {
  InventoryMisunderstood,
  InventoryThrottled,
  RESERVATION_REFUSALS,
  ReservationGone,
} from '../lib/inventory/refusals.ts';
import { ReservationExpired } from '../lib/orders/refusals.ts';
import {
  ConfirmationUnfinished,
  InventoryPaused,
  ModificationRequested,
  OrderModified,
  OrderSettled,
  PaymentCaptured,
  PaymentNotCaptured,
  PaymentPending,
  PaymentStarted,
  ReservationStands,
  RunSuperseded,
  StillAwaitingAcknowledgement,
  StillAwaitingPayment,
  WaitSuperseded,
} from '../lib/orders/saga/signals.ts';
import { GatewayThrottled, GatewayUnavailable, GatewayUnknown } from '../lib/payments/refusals.ts';
import { DatabaseThrottled } from '../lib/platform/errors.ts';
import { TASK_SECONDS } from './constants.ts';
import {
  CHARGE,
  DATABASE,
  HELD_UP,
  INVENTORY,
  INVENTORY_AWAY,
  LAMBDA_SERVICE,
  LAMBDA_THROTTLED,
  PAUSE,
  REPEATABLE,
  THROTTLED,
  WAIT,
  WITH_BOTH,
  WITH_GATEWAY,
  WITH_INVENTORY,
} from './retry-policies.ts';
import type { Catcher, StateMachine, TaskState } from './state-machine.ts';

/*
 * The order saga, top-down: first the way to the money, then the ways out. Made from
 * this table are the state machine (`npm run statemachine` renders order-saga.asl.json), the deadlines
 * (lib/orders/recovery/deadlines.ts) and the cases for AWS's TestState (docs/teststate). Every Lambda of an
 * order loads it for its deadlines: it holds the errors' classes, makes no error and uses no library.
 */

const RUN = {
  'orderId.$': '$.orderId',
  'run.$': '$.run',
  'correlationId.$': '$.correlationId',
};

type Name =
  | 'ReserveStock'
  | 'WaitForInventory'
  | 'TakePayment'
  | 'ConfirmOrder'
  | 'ExpireOrder'
  | 'AwaitAcknowledgement'
  | 'SettlePayment'
  | 'GiveUpPayment'
  | 'RejectReservation'
  | 'Compensate'
  | 'QueueCompensation'
  | 'ReserveExhausted'
  | 'ExpireExhausted'
  | 'ConfirmExhausted'
  | 'ChargeBlocked'
  | 'ChargeExhausted'
  | 'AcknowledgementExhausted'
  | 'SettleExhausted'
  | 'CompensateExhausted'
  | 'SagaFailed'
  | 'Superseded';

/** Ways out that states share. Those with `anew` start a new passage, with deadlines of its own. */
const SUPERSEDED: Catcher<Name> = { on: [RunSuperseded], next: 'Superseded' };
const OVERTAKEN: Catcher<Name> = { on: [RunSuperseded, WaitSuperseded], next: 'Superseded' };
const SETTLED: Catcher<Name> = { on: [OrderSettled], next: 'Compensate' };
const MODIFIED: Catcher<Name> = {
  on: [OrderModified],
  next: 'ReserveStock',
  anew: 'The user wants other items: their reservation has a deadline of its own.',
};
const UNDECIDED: Catcher<Name> = {
  on: [StillAwaitingPayment],
  next: 'ReserveStock',
  anew: 'The user has not paid: nothing is under way.',
};

/** Leaves a dead letter for a step whose retries are used up. */
function exhausted(comment: string, step: string, next: Name): TaskState<Name> {
  return {
    type: 'Task',
    comment,
    invokes: 'reportExhausted',
    calls: [],
    timeoutSeconds: TASK_SECONDS,
    parameters: { ...RUN, 'failure.$': '$.failure', step },
    resultPath: null,
    retry: [REPEATABLE, THROTTLED],
    catch: [],
    next,
  };
}

const NEW_RUN = 'The order is still due: the dispatcher starts a new run.';

export const ORDER_SAGA: StateMachine<Name> = {
  comment:
    'The order saga: reserve stock, take payment, compensate. Its branches are names of errors; business rules stand in lib/orders/saga.',
  startAt: 'ReserveStock',
  states: {
    ReserveStock: {
      type: 'Task',
      comment:
        "Step 1: set the stock aside, all lines or none; then PENDING_PAYMENT until the user decides or the reservation's time is up.",
      invokes: 'reserveStock',
      calls: ['inventory'],
      waitsWith: RUN,
      waitsFor: 'user',
      timeoutSeconds: 'RESERVATION_WAIT_SECONDS',
      resultPath: null,
      retry: [WAIT, HELD_UP, THROTTLED],
      catch: [
        { on: ['States.Timeout'], next: 'ExpireOrder', anew: 'The user has had the whole time.' },
        OVERTAKEN,
        {
          on: [InventoryPaused],
          next: 'WaitForInventory',
          roundsSeconds: 'INVENTORY_OUTAGE_BUDGET_SECONDS',
        },
        MODIFIED,
        SETTLED,
        { on: RESERVATION_REFUSALS, next: 'RejectReservation' },
        { on: ['States.ALL'], next: 'RejectReservation' },
      ],
      next: 'TakePayment',
    },
    WaitForInventory: {
      type: 'Wait',
      comment:
        'Inventory fails, or asked for a pause: the step itself knows until when, and when its budget is spent.',
      seconds: 'INVENTORY_PAUSE_SECONDS',
      next: 'ReserveStock',
    },
    TakePayment: {
      type: 'Task',
      comment:
        'Step 2: charge, and confirm what is captured. An answer that is not definite is unknown. A late charge extends the hold first.',
      invokes: 'takePayment',
      calls: ['inventory', 'gateway', 'inventory'],
      timeoutSeconds: TASK_SECONDS,
      resultPath: null,
      retry: [CHARGE, PAUSE, THROTTLED],
      catch: [
        SUPERSEDED,
        UNDECIDED,
        MODIFIED,
        { on: [ReservationExpired], next: 'ExpireOrder' },
        { on: [ModificationRequested], next: 'SettlePayment' },
        { on: [PaymentNotCaptured, OrderSettled], next: 'Compensate' },
        { on: [ConfirmationUnfinished], next: 'ConfirmOrder' },
        {
          on: [...INVENTORY, ...INVENTORY_AWAY, InventoryThrottled, InventoryMisunderstood],
          next: 'ChargeBlocked',
        },
        { on: [PaymentPending, GatewayUnknown], next: 'AwaitAcknowledgement' },
        {
          on: [
            ...LAMBDA_THROTTLED,
            ...LAMBDA_SERVICE,
            ...DATABASE,
            GatewayUnavailable,
            GatewayThrottled,
            DatabaseThrottled,
          ],
          next: 'ChargeExhausted',
        },
        // A crash: the gateway knows what became of it.
        { on: ['States.ALL'], next: 'SettlePayment' },
      ],
    },
    ConfirmOrder: {
      type: 'Task',
      comment:
        'Confirming, where it is tried again. After a capture only forward: reserved becomes sold, the order PAYMENT_DONE.',
      invokes: 'confirmOrder',
      calls: ['inventory'],
      timeoutSeconds: TASK_SECONDS,
      resultPath: null,
      retry: [WITH_INVENTORY, PAUSE, THROTTLED],
      catch: [
        SUPERSEDED,
        { on: [ReservationGone, PaymentNotCaptured, OrderSettled], next: 'Compensate' },
        { on: ['States.ALL'], next: 'ConfirmExhausted' },
      ],
    },
    ExpireOrder: {
      type: 'Task',
      comment: "The reservation's time is up, unless the order says otherwise.",
      invokes: 'expireOrder',
      calls: [],
      timeoutSeconds: TASK_SECONDS,
      resultPath: null,
      retry: [REPEATABLE, THROTTLED],
      catch: [
        SUPERSEDED,
        {
          on: [PaymentStarted],
          next: 'TakePayment',
          anew: 'The user has paid: the charge has a deadline of its own.',
        },
        MODIFIED,
        UNDECIDED,
        SETTLED,
        { on: ['States.ALL'], next: 'ExpireExhausted' },
      ],
      next: 'Compensate',
    },
    AwaitAcknowledgement: {
      type: 'Task',
      comment: "The charge's outcome is unknown: wait for the gateway to acknowledge it.",
      invokes: 'awaitAcknowledgement',
      calls: [],
      waitsWith: RUN,
      timeoutSeconds: 'PAYMENT_ACK_TIMEOUT_SECONDS',
      resultPath: null,
      retry: [WAIT, THROTTLED],
      catch: [
        OVERTAKEN,
        { on: ['States.Timeout'], next: 'SettlePayment' },
        { on: ['States.ALL'], next: 'AcknowledgementExhausted' },
      ],
      next: 'SettlePayment',
    },
    SettlePayment: {
      type: 'Task',
      comment: 'Ask the gateway: confirm what it has captured, void what it has not.',
      invokes: 'settlePayment',
      calls: ['gateway', 'gateway', 'inventory'],
      timeoutSeconds: TASK_SECONDS,
      resultPath: null,
      retry: [WITH_GATEWAY, THROTTLED],
      catch: [
        SUPERSEDED,
        MODIFIED,
        // The first wait, after a charge that crashed; or woken too early, so within the first wait, and before the
        // gateway was asked. The wait that follows has its whole time-out.
        {
          on: [PaymentPending, StillAwaitingAcknowledgement],
          next: 'AwaitAcknowledgement',
          roundsSeconds: 0,
        },
        { on: [PaymentNotCaptured, OrderSettled], next: 'Compensate' },
        { on: [ConfirmationUnfinished], next: 'ConfirmOrder' },
        { on: ['States.ALL'], next: 'GiveUpPayment' },
      ],
    },
    GiveUpPayment: {
      type: 'Task',
      comment: 'The gateway cannot even be asked: dead letter, its void stays owed.',
      invokes: 'giveUpPayment',
      calls: [],
      timeoutSeconds: TASK_SECONDS,
      resultPath: null,
      retry: [REPEATABLE, THROTTLED],
      catch: [
        SUPERSEDED,
        { on: [PaymentCaptured], next: 'ConfirmOrder' },
        { on: ['States.ALL'], next: 'SettleExhausted' },
      ],
      next: 'Compensate',
    },
    RejectReservation: {
      type: 'Task',
      comment: 'Ends a reservation that failed, by its purpose.',
      invokes: 'rejectReservation',
      calls: ['inventory', 'inventory'],
      timeoutSeconds: TASK_SECONDS,
      resultPath: null,
      retry: [WITH_INVENTORY, PAUSE, THROTTLED],
      catch: [
        SUPERSEDED,
        {
          on: [ReservationStands],
          next: 'ReserveStock',
          anew: 'The old reservation stands, and the user decides.',
        },
        MODIFIED,
        SETTLED,
        { on: ['States.ALL'], next: 'ReserveExhausted' },
      ],
      next: 'Compensate',
    },
    Compensate: {
      type: 'Task',
      comment: 'Step 3: release, void, refund: all that the order still owes.',
      invokes: 'compensate',
      calls: ['inventory', 'gateway', 'gateway'],
      timeoutSeconds: TASK_SECONDS,
      resultPath: null,
      retry: [WITH_BOTH, PAUSE, THROTTLED],
      catch: [{ on: ['States.ALL'], next: 'QueueCompensation' }],
    },
    QueueCompensation: {
      type: 'Task',
      comment: "The saga's own retries are used up: the compensation queue takes over.",
      invokes: 'queueCompensation',
      calls: [],
      timeoutSeconds: TASK_SECONDS,
      resultPath: null,
      retry: [REPEATABLE, THROTTLED],
      catch: [{ on: ['States.ALL'], next: 'CompensateExhausted' }],
    },
    ReserveExhausted: exhausted(NEW_RUN, 'reject-reservation', 'SagaFailed'),
    ExpireExhausted: exhausted(NEW_RUN, 'expire-order', 'SagaFailed'),
    ConfirmExhausted: exhausted(
      'The money is captured, the order still due: the dispatcher starts a new run, which confirms.',
      'confirm-order',
      'SagaFailed',
    ),
    ChargeBlocked: exhausted(
      'The stock could not be held: this try charged nothing, an earlier one may have. Ask the gateway at once.',
      'take-payment',
      'SettlePayment',
    ),
    ChargeExhausted: exhausted(
      'It is unknown if the gateway has charged: a person is told, and the saga goes on to find out.',
      'take-payment',
      'AwaitAcknowledgement',
    ),
    AcknowledgementExhausted: exhausted(
      'It could not even be waited for: ask the gateway at once.',
      'await-acknowledgement',
      'SettlePayment',
    ),
    SettleExhausted: exhausted(NEW_RUN, 'give-up-payment', 'SagaFailed'),
    CompensateExhausted: exhausted(
      'The compensation is still due: the dispatcher queues it.',
      'queue-compensation',
      'SagaFailed',
    ),
    SagaFailed: {
      type: 'Fail',
      error: 'SagaExhausted',
      cause: 'A step ran out of retries; see the dead-letter queue.',
    },
    Superseded: { type: 'Succeed', comment: 'A newer run looks after the order.' },
  },
};
