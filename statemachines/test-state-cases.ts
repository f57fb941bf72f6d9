import { SETTINGS } from '../lib/platform/settings.ts';
import { reservationWaitSeconds, SAGA_CONSTANTS } from './constants.ts';
import { errorName, type Rendering } from './render-state-machine.ts';
import type {
  Amount,
  AmountName,
  Catcher,
  RetryPolicy,
  StateMachine,
  TaskState,
} from './state-machine.ts';

/** One call of AWS's TestState, and its answer as the table has it. */
export interface TestStateCase {
  /** `TakePayment Retry 2: InventoryRestarting, 6 retries used up` */
  readonly name: string;
  readonly stateName: string;
  /** Name of the error that the task is made to end with. */
  readonly error: string;
  /** Retries of the retrier that the error belongs to, so far. */
  readonly retrierRetryCount: number;
  readonly expected: Expected;
}

/** Positions count from 0, as TestState's answer does. */
type Expected =
  | {
      readonly status: 'RETRIABLE';
      readonly retryIndex: number;
      readonly backoffSeconds: number;
      /** Whether the delay is drawn between 0 and `backoffSeconds`. */
      readonly isJittered: boolean;
    }
  | { readonly status: 'CAUGHT_ERROR'; readonly catchIndex: number; readonly nextState: string }
  | { readonly status: 'FAILED' };

/** Renders the machine with default settings and functions of nobody's account: nothing is invoked. */
export const FOR_TEST_STATE: Rendering = {
  amount: defaultOf,
  functionArn: (functionKey) => `arn:aws:lambda:eu-central-1:123456789012:function:${functionKey}`,
};

/** An error that no row names, so only `States.ALL` catches it. */
const UNNAMED = 'AnErrorThatNoRowNames';

/**
 * Cases of every row of a table, each with the first error that the row names: a retrier's first retry
 * and the end of its retries, and what a catcher leads to.
 */
export function testStateCases({ states }: StateMachine): TestStateCase[] {
  return Object.entries(states).flatMap(([stateName, state]) =>
    state.type === 'Task'
      ? [
          ...state.retry.flatMap((policy, index) => retryCases(stateName, state, policy, index)),
          ...state.catch.map((catcher, index) => catchCase(stateName, state, catcher, index)),
        ]
      : [],
  );
}

function retryCases(
  stateName: string,
  task: TaskState,
  policy: RetryPolicy,
  retryIndex: number,
): TestStateCase[] {
  const [error = UNNAMED] = policy.on.map(errorName);
  const retries = valueOf(policy.maxAttempts);
  const row = `${stateName} Retry ${String(retryIndex + 1)}: ${error}`;
  return [
    {
      name: row,
      stateName,
      error,
      retrierRetryCount: 0,
      expected: {
        status: 'RETRIABLE',
        retryIndex,
        backoffSeconds: valueOf(policy.intervalSeconds),
        isJittered: policy.jitter === 'FULL',
      },
    },
    {
      name: `${row}, ${String(retries)} retries used up`,
      stateName,
      error,
      retrierRetryCount: retries,
      expected: caught(task, error),
    },
  ];
}

function catchCase(
  stateName: string,
  task: TaskState,
  catcher: Catcher,
  catchIndex: number,
): TestStateCase {
  const error = catcher.on.map(errorName).find((name) => name !== 'States.ALL') ?? UNNAMED;
  const policy = task.retry.find(({ on }) => on.map(errorName).includes(error));
  return {
    name: `${stateName} Catch ${String(catchIndex + 1)}: ${error}`,
    stateName,
    error,
    retrierRetryCount: policy === undefined ? 0 : valueOf(policy.maxAttempts),
    expected: { status: 'CAUGHT_ERROR', catchIndex, nextState: catcher.next },
  };
}

/** The first catcher that names the error, or takes all. */
function caught(task: TaskState, error: string): Expected {
  const catchIndex = task.catch.findIndex(({ on }) =>
    on.map(errorName).some((name) => name === error || name === 'States.ALL'),
  );
  const catcher = task.catch[catchIndex];
  return catcher === undefined
    ? { status: 'FAILED' }
    : { status: 'CAUGHT_ERROR', catchIndex, nextState: catcher.next };
}

function valueOf(amount: Amount): number {
  return typeof amount === 'number' ? amount : defaultOf(amount);
}

function defaultOf(name: AmountName): number {
  if (name === 'RESERVATION_WAIT_SECONDS') {
    return reservationWaitSeconds(SETTINGS.RESERVATION_TTL_SECONDS.default);
  }
  return name in SAGA_CONSTANTS
    ? SAGA_CONSTANTS[name as keyof typeof SAGA_CONSTANTS]
    : SETTINGS[name as Exclude<typeof name, keyof typeof SAGA_CONSTANTS>].default;
}
