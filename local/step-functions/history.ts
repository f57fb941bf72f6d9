import type { HistoryEvent, HistoryEventType } from '@aws-sdk/client-sfn';
import type { Clock } from '../../lib/platform/clock.ts';
import type { InterpreterEvent, Json } from './interpreter.ts';

export type EventDetails = Omit<HistoryEvent, 'id' | 'previousEventId' | 'timestamp' | 'type'>;

/** Wire format: times are seconds since the epoch. */
export interface RecordedEvent extends EventDetails {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: HistoryEventType;
}

const WHOLE = { truncated: false };

/** The event history of one execution, with AWS's event types. Ids start at 1. */
export class ExecutionHistory {
  readonly #clock: Clock;
  readonly #events: RecordedEvent[] = [];
  readonly #caughtStates = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get events(): readonly RecordedEvent[] {
    return this.#events;
  }

  record(type: HistoryEventType, details: EventDetails = {}): void {
    const id = this.#events.length + 1;
    // On AWS, the first state's event follows event 0, as the start's does.
    const previousEventId = id === 2 ? 0 : id - 1;
    this.#events.push({
      id,
      previousEventId,
      timestamp: this.#clock.now() / 1000,
      type,
      ...details,
    });
  }

  /** Records an event that the interpreter reports. Tasks and the execution record their own events. */
  recordInterpreterEvent(event: InterpreterEvent): void {
    switch (event.type) {
      case 'StateEntered':
        this.#recordEntered(event.state);
        break;
      case 'StateExited':
        this.#recordExited(event.state);
        break;
      case 'StateFailed':
        if (event.state.type === 'Parallel') this.record('ParallelStateFailed');
        if (event.state.type === 'Map') this.record('MapStateFailed');
        break;
      case 'StateCaught':
        this.#caughtStates.add(event.state.name);
        break;
      case 'MapIterationStarted':
        this.record('MapIterationStarted', { mapIterationStartedEventDetails: iteration(event) });
        break;
      case 'MapIterationSucceeded':
        this.record('MapIterationSucceeded', {
          mapIterationSucceededEventDetails: iteration(event),
        });
        break;
      case 'MapIterationFailed':
        this.record('MapIterationFailed', { mapIterationFailedEventDetails: iteration(event) });
        break;
      case 'StateRetried':
      case 'ParallelBranchStarted':
      case 'ParallelBranchSucceeded':
      case 'ParallelBranchFailed':
      case 'ExecutionStarted':
      case 'ExecutionSucceeded':
      case 'ExecutionFailed':
      case 'ExecutionAborted':
      case 'ExecutionTimeout':
        break;
    }
  }

  #recordEntered(state: State): void {
    if (state.type === 'Fail') {
      this.record('FailStateEntered', entered(state));
      return;
    }
    this.record(`${state.type}StateEntered`, entered(state));
    if (state.type === 'Parallel') this.record('ParallelStateStarted');
    if (state.type === 'Map') {
      const length = Array.isArray(state.input) ? state.input.length : 0;
      this.record('MapStateStarted', { mapStateStartedEventDetails: { length } });
    }
  }

  #recordExited(state: State): void {
    if (state.type === 'Fail') return;
    const wasCaught = this.#caughtStates.delete(state.name);
    if (state.type === 'Parallel' && !wasCaught) this.record('ParallelStateSucceeded');
    if (state.type === 'Map' && !wasCaught) this.record('MapStateSucceeded');
    this.record(`${state.type}StateExited`, {
      stateExitedEventDetails: {
        name: state.name,
        output: JSON.stringify(state.output),
        outputDetails: WHOLE,
      },
    });
  }
}

type State = Extract<InterpreterEvent, { type: 'StateEntered' }>['state'];
type Iteration = Extract<InterpreterEvent, { type: 'MapIterationStarted' }>;

function entered(state: State): EventDetails {
  return {
    stateEnteredEventDetails: {
      name: state.name,
      input: JSON.stringify(state.input),
      inputDetails: WHOLE,
    },
  };
}

function iteration(event: Pick<Iteration, 'index' | 'parentState'>): {
  name: string;
  index: number;
} {
  return { name: event.parentState.name, index: event.index };
}

/** Records one Task state's attempts in a history. */
export interface TaskEvents {
  started(input: Json, timeouts: TaskTimeouts): void;
  /** Records that a callback task's function returned. The task still waits for its token. */
  submitted(output: Json): void;
  succeeded(output: Json): void;
  failed(error: string, cause: string): void;
  timedOut(error: string): void;
}

export interface TaskTimeouts {
  readonly timeoutSeconds: number | undefined;
  readonly heartbeatSeconds: number | undefined;
}

/** Events of a task whose resource is a Lambda function's ARN. */
export function lambdaFunctionEvents(history: ExecutionHistory, functionArn: string): TaskEvents {
  return {
    started: (input, { timeoutSeconds }) => {
      history.record('LambdaFunctionScheduled', {
        lambdaFunctionScheduledEventDetails: {
          resource: functionArn,
          input: JSON.stringify(input),
          inputDetails: WHOLE,
          ...(timeoutSeconds !== undefined && { timeoutInSeconds: timeoutSeconds }),
        },
      });
      history.record('LambdaFunctionStarted');
    },
    submitted: () => undefined,
    succeeded: (output) => {
      history.record('LambdaFunctionSucceeded', {
        lambdaFunctionSucceededEventDetails: {
          output: JSON.stringify(output),
          outputDetails: WHOLE,
        },
      });
    },
    failed: (error, cause) => {
      history.record('LambdaFunctionFailed', {
        lambdaFunctionFailedEventDetails: { error, cause },
      });
    },
    timedOut: (error) => {
      history.record('LambdaFunctionTimedOut', { lambdaFunctionTimedOutEventDetails: { error } });
    },
  };
}

/** Events of a task with an optimised integration, such as `lambda` `invoke.waitForTaskToken`. */
export function integrationEvents(
  history: ExecutionHistory,
  task: { readonly resourceType: string; readonly resource: string; readonly region: string },
): TaskEvents {
  const { resourceType, resource, region } = task;
  return {
    started: (input, { timeoutSeconds, heartbeatSeconds }) => {
      history.record('TaskScheduled', {
        taskScheduledEventDetails: {
          resourceType,
          resource,
          region,
          parameters: JSON.stringify(input),
          ...(timeoutSeconds !== undefined && { timeoutInSeconds: timeoutSeconds }),
          ...(heartbeatSeconds !== undefined && { heartbeatInSeconds: heartbeatSeconds }),
        },
      });
      history.record('TaskStarted', { taskStartedEventDetails: { resourceType, resource } });
    },
    submitted: (output) => {
      history.record('TaskSubmitted', {
        taskSubmittedEventDetails: {
          resourceType,
          resource,
          output: JSON.stringify(output),
          outputDetails: WHOLE,
        },
      });
    },
    succeeded: (output) => {
      history.record('TaskSucceeded', {
        taskSucceededEventDetails: {
          resourceType,
          resource,
          output: JSON.stringify(output),
          outputDetails: WHOLE,
        },
      });
    },
    failed: (error, cause) => {
      history.record('TaskFailed', {
        taskFailedEventDetails: { resourceType, resource, error, cause },
      });
    },
    timedOut: (error) => {
      history.record('TaskTimedOut', {
        taskTimedOutEventDetails: { resourceType, resource, error },
      });
    },
  };
}
