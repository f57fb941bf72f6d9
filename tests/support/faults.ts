import {
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../lib/platform/clock.ts';
import { type Effect, passThrough } from '../../lib/platform/effects.ts';
import { callsPerSecond } from '../../local/companion/faults/calls-per-second.ts';
import { admitAtOnce, dieHere, Throttled } from '../../local/stack/lambda-runtime.ts';
import type { TestStack } from './test-stack.ts';

type Act = <Result>(proceed: () => Promise<Result>, effect: Effect) => Promise<Result>;

export interface Fault {
  readonly on: (effect: Effect) => boolean;
  /** Number of effects to strike; unlimited if undefined. */
  readonly times?: number;
  readonly act: Act;
}

/** Injected faults, with the number of their strikes so far. */
export interface Injected {
  readonly strikes: number;
}

/** Replaces all faults between the handlers and the world. */
export function inject(stack: TestStack, ...faults: readonly Fault[]): Injected {
  const counts = faults.map(() => 0);
  stack.setInterceptor((effect, proceed) => {
    const index = faults.findIndex(
      (fault, position) =>
        (counts[position] ?? 0) < (fault.times ?? Number.POSITIVE_INFINITY) && fault.on(effect),
    );
    const fault = faults[index];
    if (fault === undefined) return proceed();
    counts[index] = (counts[index] ?? 0) + 1;
    return fault.act(proceed, effect);
  });
  return {
    get strikes() {
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}

/** Input of a saga's step that waits; other functions have less of it. */
interface StepInput {
  readonly orderId?: string;
  readonly run?: number;
  readonly retryCount?: number;
}

/** A fault of the way from the caller of a function to the function. */
export interface InvocationFault {
  readonly on: (functionKey: string, input: StepInput) => boolean;
  /** Number of invocations to strike; unlimited if undefined. */
  readonly times?: number;
  /** The function begins when the promise resolves, and never if it rejects. */
  readonly act: () => Promise<void>;
}

/**
 * Replaces the fault of the functions' invocations.
 * @returns also the keys of all functions that were invoked since.
 */
export function injectAtInvocation(
  stack: TestStack,
  { on, times = Number.POSITIVE_INFINITY, act }: InvocationFault,
): Injected & { readonly invoked: readonly string[] } {
  const injected = { strikes: 0, invoked: [] as string[] };
  stack.setAdmission((functionKey, event) => {
    injected.invoked.push(functionKey);
    if (injected.strikes >= times || !on(functionKey, event as StepInput)) return undefined;
    injected.strikes += 1;
    return act();
  });
  return injected;
}

/** Removes every fault. */
export function heal(stack: TestStack): void {
  stack.setInterceptor(passThrough);
  stack.setAdmission(admitAtOnce);
}

// Selections of effects

export function databaseCall(operation: string, table: string) {
  return (effect: Effect) =>
    effect.kind === 'dynamodb' &&
    effect.operation === operation &&
    effect.target.endsWith(`-${table}`);
}

/** All such effects but the first, from now on. */
export function butFirst(on: Fault['on']): Fault['on'] {
  let isFirst = true;
  return (effect) => {
    if (!on(effect)) return false;
    const isLater = !isFirst;
    isFirst = false;
    return isLater;
  };
}

/** First write of an order's run. Before it, placing an order updates its user's open orders. */
export function firstWriteOfRun(isPlaced = true): Fault['on'] {
  const updating = databaseCall('UpdateItem', 'orders');
  return isPlaced ? butFirst(updating) : updating;
}

export function stateMachineCall(operation: string) {
  return (effect: Effect) => effect.kind === 'states' && effect.operation === operation;
}

export function queueCall(operation: string) {
  return (effect: Effect) => effect.kind === 'sqs' && effect.operation === operation;
}

/** An HTTP call by method and path; `path` is the source of a regular expression. */
export function httpCall(method: string, path: string) {
  const pattern = new RegExp(path);
  return ({ kind, operation, target }: Effect) =>
    kind === 'http' && operation === method && pattern.test(new URL(target).pathname);
}

export function anyInventoryCall({ kind, target }: Effect): boolean {
  return kind === 'http' && target.includes('/inventory/reservation/');
}

export function anyGatewayCall({ kind, target }: Effect): boolean {
  return kind === 'http' && target.includes('/gateway/');
}

// Acts

/** The process dies before the effect. */
export const dieBefore: Act = () => dieHere();

/** The process dies right after the effect. */
export const dieAfter: Act = async (proceed) => {
  await proceed();
  return dieHere();
};

/** No server listens. */
export const refuseConnection: Act = () => Promise.reject(new TypeError('fetch failed'));

/** The time-out passes and nothing happens. */
export const timeOut: Act = () =>
  Promise.reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));

/** The effect happens, but its answer is lost. */
export const loseAnswer: Act = async (proceed) => {
  await proceed();
  throw new TypeError('fetch failed');
};

/** DynamoDB refuses temporarily, at random by throttling or by a transaction conflict. */
export function busyDatabase(random: () => number): Act {
  return (_proceed, { operation }) => Promise.reject(busyError(operation, random()));
}

function busyError(operation: string, chance: number): Error {
  const message = 'Busy.';
  if (chance < 0.5 || !/^(Put|Update|Delete|Transact)/.test(operation)) {
    return new ProvisionedThroughputExceededException({ message, $metadata: {} });
  }
  return operation === 'TransactWriteItems'
    ? new TransactionCanceledException({
        message,
        $metadata: {},
        CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
      })
    : new TransactionConflictException({ message, $metadata: {} });
}

/** A proxy answers instead of the service. */
export function answerWith(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Act {
  return <Result>() =>
    Promise.resolve({ status, headers: new Headers(headers), body } as unknown as Result);
}

/** A service that takes so many calls a second, and refuses all others: a 429, unless `refuse` says otherwise. */
export function throttled(
  limit: number,
  clock: Pick<Clock, 'now'>,
  refuse: Act = answerWith(429, { 'retry-after': '1' }),
): Act {
  const callsThisSecond = callsPerSecond(clock);
  return (proceed, effect) => (callsThisSecond() <= limit ? proceed() : refuse(proceed, effect));
}

/** A table without capacity for more. */
export const refuseForLoad: Act = () =>
  Promise.reject(new ProvisionedThroughputExceededException({ message: 'Busy.', $metadata: {} }));

/** Does something else before the effect. */
export function after(doFirst: () => Promise<unknown>): Act {
  return async (proceed) => {
    await doFirst();
    return proceed();
  };
}

/** Lambda has no instance free: the function never runs. */
export const throttle: InvocationFault['act'] = () => Promise.reject(new Throttled());

export interface Held {
  readonly act: Act;
  letGo(): void;
}

/** Holds every effect back until they are let go. */
export function held(): Held {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return {
    act: after(() => promise),
    letGo: () => {
      resolve(undefined);
    },
  };
}
