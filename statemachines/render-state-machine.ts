import type {
  Amount,
  Catcher,
  Failure,
  RetryPolicy,
  State,
  StateMachine,
  TaskState,
} from './state-machine.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Renders a table as the Amazon States Language. Settings and constants stay the stage's parameters,
 * as `"${param:NAME}"`; functions are CloudFormation references.
 */
export function renderStateMachine({ comment, startAt, states }: StateMachine): Json {
  return {
    Comment: comment,
    StartAt: startAt,
    States: Object.fromEntries(
      Object.entries(states).map(([name, state]) => [name, renderState(state)]),
    ),
  };
}

function renderState(state: State): Json {
  switch (state.type) {
    case 'Task':
      return renderTask(state);
    case 'Wait':
      return {
        Comment: state.comment,
        Type: 'Wait',
        Seconds: renderAmount(state.seconds),
        Next: state.next,
      };
    case 'Pass':
      return {
        Comment: state.comment,
        Type: 'Pass',
        Result: state.result,
        ResultPath: state.resultPath,
        Next: state.next,
      };
    case 'Succeed':
      return { Comment: state.comment, Type: 'Succeed' };
    case 'Fail':
      return { Type: 'Fail', Error: state.error, Cause: state.cause };
  }
}

function renderTask(task: TaskState): Json {
  return {
    Comment: task.comment,
    Type: 'Task',
    ...invocation(task),
    TimeoutSeconds: renderAmount(task.timeoutSeconds),
    ResultPath: task.resultPath,
    Retry: task.retry.map(renderRetry),
    ...(task.catch.length === 0 ? {} : { Catch: task.catch.map(renderCatch) }),
    ...(task.next === undefined ? { End: true } : { Next: task.next }),
  };
}

function invocation({ invokes, waitsWith, parameters }: TaskState): Json {
  const arn = { 'Fn::GetAtt': [invokes, 'Arn'] };
  if (waitsWith !== undefined) {
    return {
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Parameters: {
        FunctionName: arn,
        Payload: { ...waitsWith, 'taskToken.$': '$$.Task.Token' },
      },
    };
  }
  return { Resource: arn, ...(parameters === undefined ? {} : { Parameters: parameters }) };
}

function renderRetry(policy: RetryPolicy): Json {
  return {
    ErrorEquals: policy.on.map(errorName),
    IntervalSeconds: renderAmount(policy.intervalSeconds),
    MaxAttempts: renderAmount(policy.maxAttempts),
    BackoffRate: policy.backoffRate,
    MaxDelaySeconds: renderAmount(policy.maxDelaySeconds),
    JitterStrategy: policy.jitter,
  };
}

function renderCatch({ on, next }: Catcher): Json {
  return { ErrorEquals: on.map(errorName), ResultPath: '$.failure', Next: next };
}

/** Name as Step Functions matches it: of a class, the name that its instances carry. */
export function errorName(failure: Failure): string {
  return typeof failure === 'string' ? failure : new failure('').name;
}

function renderAmount(amount: Amount): number | string {
  return typeof amount === 'number' ? amount : `\${param:${amount}}`;
}
