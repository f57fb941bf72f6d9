import validate from 'asl-validator';
import { describe, expect, test } from 'vitest';
import * as signals from '../../lib/orders/saga/signals.ts';
import { BRANCHING_REFUSALS } from '../../lib/orders/saga/task.ts';
import type { State } from './deployment.ts';
import {
  deployedFunctions,
  errorNames,
  functionOfTask,
  load,
  parametersOfOrderSaga,
  readOrderSaga,
  renderOrderSaga,
  stageParameters,
} from './deployment.ts';

const LAMBDA_SERVICE_ERRORS = [
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

const saga = readOrderSaga();
const states = Object.entries(saga.States);
const tasks = states.filter(([, state]) => state.Type === 'Task');

describe('the order saga', () => {
  test('is a valid Amazon States Language definition', () => {
    const verdict = validate(renderOrderSaga());
    expect(verdict.isValid, verdict.errorsText()).toBe(true);
  });

  test('passes exactly these two states when nothing goes wrong', () => {
    expect(happyPath()).toEqual(['ReserveStock', 'TakePayment']);
  });

  test('can reach every state', () => {
    const unreached = new Set(states.map(([name]) => name));
    const ahead = [saga.StartAt];
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      const state = saga.States[name];
      expect(state, `${name} is a target but no state`).toBeDefined();
      if (unreached.delete(name) && state !== undefined) ahead.push(...targets(state));
    }
    expect([...unreached]).toEqual([]);
  });

  test('asks only for stage parameters that serverless.yml gives', () => {
    expect(Object.keys(stageParameters())).toEqual(expect.arrayContaining(parametersOfOrderSaga()));
  });

  test('matches only error names that the code throws', () => {
    const known = errorNames();
    const unknown = [...matchedErrors()].filter(
      (name) => !/^(?:States|Lambda|Runtime|Sandbox)\./.test(name) && !known.has(name),
    );
    expect(unknown).toEqual([]);
  });

  test('names no defect: only States.ALL sees it', () => {
    const defects = ['ImpossibleState', 'MalformedItem', 'UnknownSchemaVersion'];
    expect([...errorNames()]).toEqual(expect.arrayContaining(defects));
    expect([...matchedErrors()].filter((name) => defects.includes(name))).toEqual([]);
  });

  test('branches on exactly the signals and refusals that are reported as branches', () => {
    const retried = new Set(states.flatMap(([, { Retry = [] }]) => Retry.flatMap(namesOf)));
    const branches = states
      .flatMap(([, { Catch = [] }]) => Catch.flatMap(namesOf))
      .filter((name) => !/^(?:States|Lambda)\./.test(name) && !retried.has(name));
    const ofSignals = Object.values(signals)
      .filter((signal) => signal.prototype instanceof signals.Signal)
      .map(({ name }) => name)
      // InventoryPaused, which also goes back to the same step a few times, and counts as its cause does.
      .filter((name) => !retried.has(name));
    const reported = [...ofSignals, ...[...BRANCHING_REFUSALS].map(({ refusal }) => refusal.name)];
    // Failures of a step: the next try of the first is another step, and no try heals the second.
    const failures = ['ConfirmationUnfinished', 'InventoryMisunderstood'];
    expect(new Set(branches)).toEqual(new Set([...reported, ...failures]));
  });

  test.each(tasks)('%s invokes a deployed function', (_name, task) => {
    expect([...deployedFunctions().keys()]).toContain(functionOfTask(task));
  });

  test.each(tasks)('%s is retried when the Lambda service fails', (_name, task) => {
    const retried = (task.Retry ?? []).flatMap((retry) => retry.ErrorEquals);
    expect(retried).toEqual(expect.arrayContaining(LAMBDA_SERVICE_ERRORS));
  });
});

test.each(tasks)('%s has a retrier of its own for what is throttled', (_name, task) => {
  const alone = [
    'Lambda.TooManyRequestsException',
    'InventoryThrottled',
    'GatewayThrottled',
    'DatabaseThrottled',
  ];
  expect((task.Retry ?? []).map((retry) => retry.ErrorEquals)).toContainEqual(alone);
});

describe('state = Lambda = file', () => {
  /** `ReserveStock` ↔ `reserveStock` ↔ `reserve-stock`: the same words, as each place writes names. */
  const keyOf = (state: string) => state.charAt(0).toLowerCase() + state.slice(1);
  const fileOf = (state: string) =>
    keyOf(state).replace(/[A-Z]/g, (letter) => `-${letter}`.toLowerCase());
  /** States that leave a dead letter share one function. */
  const isDeadLetter = (state: string) => /Exhausted$|^ChargeBlocked$/.test(state);
  const own = tasks.map(([name]) => name).filter((name) => !isDeadLetter(name));

  test.each(own)('%s runs the function of its name, in the file of its name', (state) => {
    const key = keyOf(state);
    expect(functionOfTask(saga.States[state]!)).toBe(key);
    expect(deployedFunctions().get(key)).toBe(`functions/saga/${fileOf(state)}.ts`);
  });

  test.each(own)('%s is a step of its name in lib/orders/saga', async (state) => {
    const step = await load(`lib/orders/saga/${fileOf(state)}.ts`).catch(() => ({}));
    expect(step).toHaveProperty(keyOf(state), expect.any(Function));
  });

  test.each(tasks.map(([name]) => name).filter(isDeadLetter))('%s reports', (state) => {
    expect(functionOfTask(saga.States[state]!)).toBe('reportExhausted');
  });

  test('every function of the saga is some state of that name, or reports', () => {
    const functions = [...deployedFunctions()].filter(([, file]) =>
      file.startsWith('functions/saga/'),
    );
    expect(functions.map(([key]) => key).sort()).toEqual(
      [...own.map(keyOf), 'reportExhausted'].sort(),
    );
  });
});

describe('a step whose retries are used up', () => {
  /** Tasks that leave the dead letter themselves, or hand over to a queue whose consumer does. */
  const REPORTING = ['reportExhausted', 'rejectReservation', 'giveUpPayment', 'queueCompensation'];
  const steps = tasks.filter(([, task]) => functionOfTask(task) !== 'reportExhausted');

  test.each(steps)('%s leads to a dead letter, whatever it was retried for', (_name, step) => {
    const retried = (step.Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
    expect(retried.length).toBeGreaterThan(0);
    for (const error of retried) {
      const caught = step.Catch?.find(({ ErrorEquals }) =>
        [error, 'States.ALL'].some((name) => ErrorEquals.includes(name)),
      );
      const next = saga.States[caught?.Next ?? ''];
      // A way back: the step itself ends it, by another name.
      if (next?.Type === 'Wait') continue;
      expect(REPORTING, error).toContain(next === undefined ? undefined : functionOfTask(next));
    }
  });
});

function namesOf({ ErrorEquals }: { readonly ErrorEquals: readonly string[] }): readonly string[] {
  return ErrorEquals;
}

function happyPath(): string[] {
  const path: string[] = [];
  for (let name: string | undefined = saga.StartAt; name !== undefined && !path.includes(name); ) {
    path.push(name);
    name = saga.States[name]?.Next;
  }
  return path;
}

function targets(state: State): string[] {
  return [state.Next, state.Default, ...(state.Choices ?? []), ...(state.Catch ?? [])]
    .map((target) => (typeof target === 'object' ? target.Next : target))
    .filter((target) => target !== undefined);
}

function matchedErrors(): Set<string> {
  return new Set(
    states.flatMap(([, state]) =>
      [...(state.Retry ?? []), ...(state.Catch ?? [])].flatMap(({ ErrorEquals }) => ErrorEquals),
    ),
  );
}
