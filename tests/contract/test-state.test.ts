import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../lib/platform/clock.ts';
import { createStepFunctions, type StepFunctions } from '../../local/step-functions/service.ts';
import { ORDER_SAGA } from '../../statemachines/order-saga.ts';
import { renderStateMachine } from '../../statemachines/render-state-machine.ts';
import {
  FOR_TEST_STATE,
  type TestStateCase,
  testStateCases,
} from '../../statemachines/test-state-cases.ts';
import { commandOf, differences } from '../../tools/teststate/test-state-call.ts';
import { readOrderSaga, type State, type StateMachine } from './deployment.ts';

function readDocument(name: string): unknown {
  const file = join(import.meta.dirname, '../../docs/teststate', name);
  return JSON.parse(readFileSync(file, 'utf8'));
}

const cases = readDocument('cases.json') as readonly TestStateCase[];
const machine = readDocument('state-machine.json') as StateMachine;

test('docs/teststate is what the table renders: npm run statemachine', () => {
  expect(cases).toEqual(testStateCases(ORDER_SAGA));
  expect(machine).toEqual(renderStateMachine(ORDER_SAGA, FOR_TEST_STATE));
});

describe.each(Object.entries(readOrderSaga().States))('%s', (stateName, state) => {
  const own = cases.filter((one) => one.stateName === stateName);

  test('has a case for each retrier: retried, and used up', () => {
    const rows = (state.Retry ?? []).map(({ ErrorEquals: [error] }, retryIndex) => ({
      retried: own.some(
        ({ expected, ...one }) =>
          one.error === error &&
          one.retrierRetryCount === 0 &&
          expected.status === 'RETRIABLE' &&
          expected.retryIndex === retryIndex,
      ),
      usedUp: own.some(
        ({ expected, ...one }) =>
          one.error === error && one.retrierRetryCount > 0 && expected.status !== 'RETRIABLE',
      ),
    }));
    expect(rows).toEqual(rows.map(() => ({ retried: true, usedUp: true })));
  });

  test('has a case for each catcher', () => {
    const caught = own.flatMap(({ expected }) =>
      expected.status === 'CAUGHT_ERROR'
        ? [`${String(expected.catchIndex)} ${expected.nextState}`]
        : [],
    );
    const rows = (state.Catch ?? []).map(({ Next }, index) => `${String(index)} ${Next}`);
    expect([...new Set(caught)].sort()).toEqual(rows.sort());
  });
});

describe('the local interpreter', () => {
  /** A state without its retries; each state that it leads to ends the execution with its own name. */
  function alone(name: string, { Retry: _retry, ...state }: State): object {
    // Under other names: a state may lead to itself.
    const endOf = (target: string) => `End in ${target}`;
    const catchers = (state.Catch ?? []).map((one) => ({ ...one, Next: endOf(one.Next) }));
    const { Next } = state;
    const targets = [
      ...(Next === undefined ? [] : [Next]),
      ...(state.Catch ?? []).map((one) => one.Next),
    ];
    const ends = targets.map(
      (target) => [endOf(target), { Type: 'Pass', Result: target, End: true }] as const,
    );
    const own = {
      ...state,
      ...(Next === undefined ? {} : { Next: endOf(Next) }),
      ...(state.Catch === undefined ? {} : { Catch: catchers }),
    };
    return { StartAt: name, States: { ...Object.fromEntries(ends), [name]: own } };
  }

  let stepFunctions: StepFunctions;
  const errors = new Map<string, string>();

  beforeAll(() => {
    stepFunctions = createStepFunctions({
      clock: systemClock,
      region: 'eu-central-1',
      accountId: '123456789012',
      invoke: (_functionName, payload) => {
        const { correlationId } = payload as { readonly correlationId: string };
        const name = errors.get(correlationId);
        return Promise.reject(Object.assign(new Error('Mocked.'), { name }));
      },
      stateMachines: Object.entries(machine.States)
        .filter(([, { Type }]) => Type === 'Task')
        .map(([name, state]) => ({ name, definition: alone(name, state) })),
    });
  });
  afterAll(() => {
    stepFunctions.stop();
  });

  const call = (operation: string, request: object) =>
    stepFunctions.operations.get(operation)?.(request) as Readonly<Record<string, string>>;

  const caught = cases.filter(({ expected }) => expected.status === 'CAUGHT_ERROR');

  test.each(caught)('goes where AWS is expected to go: $name', async (one) => {
    errors.set(one.name, one.error);
    const input = { orderId: 'o', run: 1, correlationId: one.name, reservation: {}, failure: {} };
    const { executionArn } = call('StartExecution', {
      stateMachineArn: stepFunctions.stateMachineArn(one.stateName),
      input: JSON.stringify(input),
    });
    await expect
      .poll(() => call('DescribeExecution', { executionArn }), { interval: 5 })
      .toMatchObject({ status: 'SUCCEEDED' });
    const next = (one.expected as { readonly nextState: string }).nextState;
    expect(call('DescribeExecution', { executionArn })['output']).toBe(JSON.stringify(next));
  });
});

describe('a case', () => {
  const named = (name: string) => {
    const found = cases.find((one) => one.name === name);
    if (found === undefined) throw new Error(`There is no case ${name}.`);
    return found;
  };
  const usedUp = named('TakePayment Retry 2: InventoryRestarting, 6 retries used up');
  const retried = named('TakePayment Retry 2: InventoryRestarting');

  test('is one command of the AWS CLI', () => {
    expect(commandOf(usedUp, 'docs/teststate/state-machine.json')).toEqual([
      'stepfunctions',
      'test-state',
      '--definition',
      'file://docs/teststate/state-machine.json',
      '--state-name',
      'TakePayment',
      '--input',
      '{"orderId":"ord_1","run":1,"correlationId":"teststate","reservation":{"revision":1,"expiresAtMs":0,"lines":[]},"failure":{"Error":"AnErrorBefore","Cause":"{}"}}',
      '--context',
      '{"Task":{"Token":"the-token-of-the-test"}}',
      '--mock',
      '{"errorOutput":{"error":"InventoryRestarting","cause":"Mocked."}}',
      '--state-configuration',
      '{"retrierRetryCount":6}',
      '--inspection-level',
      'DEBUG',
      '--output',
      'json',
    ]);
  });

  test('is as expected if AWS takes the same way', () => {
    const answer = {
      status: 'CAUGHT_ERROR',
      nextState: 'ChargeBlocked',
      inspectionData: { errorDetails: { catchIndex: 7 } },
    } as const;
    expect(differences(usedUp, answer)).toEqual([]);
    expect(differences(usedUp, { ...answer, nextState: 'AwaitAcknowledgement' })).toEqual([
      'nextState: expected ChargeBlocked, is AwaitAcknowledgement',
    ]);
  });

  test('that is retried tells another delay', () => {
    const answer = (retryBackoffIntervalSeconds: number) => ({
      status: 'RETRIABLE' as const,
      inspectionData: { errorDetails: { retryIndex: 1, retryBackoffIntervalSeconds } },
    });
    expect(differences(retried, answer(5))).toEqual([]);
    expect(differences(retried, answer(10))).toEqual([
      'retryBackoffIntervalSeconds: expected 5, is 10',
    ]);
  });
});
