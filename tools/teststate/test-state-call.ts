import type { TestStateCommandOutput } from '@aws-sdk/client-sfn';
import type { TestStateCase } from '../../statemachines/test-state-cases.ts';

/** Answer of `aws stepfunctions test-state --inspection-level DEBUG`, as far as it is looked at. */
export type TestStateAnswer = Pick<
  TestStateCommandOutput,
  'status' | 'nextState' | 'inspectionData'
>;

/** Input of every state: what a run is started with, and what its states have added. */
const INPUT = {
  orderId: 'ord_1',
  run: 1,
  correlationId: 'teststate',
  reservation: { revision: 1, expiresAtMs: 0, lines: [] },
  failure: { Error: 'AnErrorBefore', Cause: '{}' },
};

/** Context object of every state: a task that waits takes its token from it. */
const CONTEXT = { Task: { Token: 'the-token-of-the-test' } };

/**
 * Words of the AWS CLI's command that tests one case.
 * @param definition path of docs/teststate/state-machine.json.
 */
export function commandOf(
  { stateName, error, retrierRetryCount }: TestStateCase,
  definition: string,
): string[] {
  const options = {
    definition: `file://${definition}`,
    'state-name': stateName,
    input: JSON.stringify(INPUT),
    context: JSON.stringify(CONTEXT),
    mock: JSON.stringify({ errorOutput: { error, cause: 'Mocked.' } }),
    'state-configuration': JSON.stringify({ retrierRetryCount }),
    'inspection-level': 'DEBUG',
    output: 'json',
  };
  return [
    'stepfunctions',
    'test-state',
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
  ];
}

/** Differences between an answer of AWS and the expected one, in words; none if they agree. */
export function differences({ expected }: TestStateCase, answer: TestStateAnswer): string[] {
  const { retryIndex, catchIndex, retryBackoffIntervalSeconds } =
    answer.inspectionData?.errorDetails ?? {};
  const differs = (what: string, wanted: unknown, found: unknown) =>
    wanted === found ? [] : [`${what}: expected ${String(wanted)}, is ${String(found)}`];
  const status = differs('status', expected.status, answer.status);
  switch (expected.status) {
    case 'RETRIABLE':
      return [
        ...status,
        ...differs('retryIndex', expected.retryIndex, retryIndex),
        ...backoff(expected, retryBackoffIntervalSeconds),
      ];
    case 'CAUGHT_ERROR':
      return [
        ...status,
        ...differs('catchIndex', expected.catchIndex, catchIndex),
        ...differs('nextState', expected.nextState, answer.nextState),
      ];
    case 'FAILED':
      return status;
  }
}

function backoff(
  { backoffSeconds, isJittered }: { readonly backoffSeconds: number; readonly isJittered: boolean },
  seconds: number | undefined,
): string[] {
  const isRight = isJittered
    ? seconds !== undefined && seconds >= 0 && seconds <= backoffSeconds
    : seconds === backoffSeconds;
  const wanted = `${isJittered ? 'at most ' : ''}${String(backoffSeconds)}`;
  return isRight ? [] : [`retryBackoffIntervalSeconds: expected ${wanted}, is ${String(seconds)}`];
}
