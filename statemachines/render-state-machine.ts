import type {
  Amount,
  AmountName,
  Catcher,
  Failure,
  RetryPolicy,
  State,
  StateMachine,
  TaskState,
} from './state-machine.ts';

type Json = Readonly<Record<string, unknown>>;

/** Renders what the table only names. */
export interface Rendering {
  readonly amount: (name: AmountName) => unknown;
  readonly functionArn: (functionKey: string) => unknown;
}

/** The stage's parameters, and CloudFormation's references: the deployment fills them in. */
const FOR_THE_TEMPLATE: Rendering = {
  amount: (name) =>
    name === 'RESERVATION_WAIT_SECONDS' ? `\${self:custom.${name}}` : `\${param:${name}}`,
  functionArn: (functionKey) => ({ 'Fn::GetAtt': [functionKey, 'Arn'] }),
};

/** Tells a task that waits which attempt it is, and its token. */
const ATTEMPT = {
  'enteredAt.$': '$$.State.EnteredTime',
  'retryCount.$': '$$.State.RetryCount',
  'taskToken.$': '$$.Task.Token',
};

/** Renders a table as the Amazon States Language. */
export function renderStateMachine(
  { comment, startAt, states }: StateMachine,
  rendering = FOR_THE_TEMPLATE,
): Json {
  return {
    Comment: comment,
    StartAt: startAt,
    States: Object.fromEntries(
      Object.entries(states).map(([name, state]) => [name, renderState(state, rendering)]),
    ),
  };
}

function renderState(state: State, rendering: Rendering): Json {
  switch (state.type) {
    case 'Task':
      return renderTask(state, rendering);
    case 'Wait':
      return {
        Comment: state.comment,
        Type: 'Wait',
        Seconds: renderAmount(state.seconds, rendering),
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

function renderTask(task: TaskState, rendering: Rendering): Json {
  return {
    Comment: task.comment,
    Type: 'Task',
    ...invocation(task, rendering),
    TimeoutSeconds: renderAmount(task.timeoutSeconds, rendering),
    ResultPath: task.resultPath,
    Retry: task.retry.map((policy) => renderRetry(policy, rendering)),
    ...(task.catch.length === 0 ? {} : { Catch: task.catch.map(renderCatch) }),
    ...(task.next === undefined ? { End: true } : { Next: task.next }),
  };
}

function invocation(
  { invokes, waitsWith, parameters }: TaskState,
  { functionArn }: Rendering,
): Json {
  const arn = functionArn(invokes);
  if (waitsWith !== undefined) {
    return {
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Parameters: {
        FunctionName: arn,
        Payload: { ...waitsWith, ...ATTEMPT },
      },
    };
  }
  return { Resource: arn, ...(parameters === undefined ? {} : { Parameters: parameters }) };
}

function renderRetry(policy: RetryPolicy, rendering: Rendering): Json {
  return {
    ErrorEquals: policy.on.map(errorName),
    IntervalSeconds: renderAmount(policy.intervalSeconds, rendering),
    MaxAttempts: renderAmount(policy.maxAttempts, rendering),
    BackoffRate: policy.backoffRate,
    MaxDelaySeconds: renderAmount(policy.maxDelaySeconds, rendering),
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

function renderAmount(amount: Amount, rendering: Rendering): unknown {
  return typeof amount === 'number' ? amount : rendering.amount(amount);
}
