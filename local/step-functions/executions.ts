import { ExecutionError, ExecutionTimeoutError } from 'aws-local-stepfunctions';
import type { Clock } from '../../lib/platform/clock.ts';
import { ExecutionHistory } from './history.ts';
import { InterpreterScope, type Json } from './interpreter.ts';
import { type Invoke, startLambdaTask } from './lambda-tasks.ts';
import { StateAttempts } from './state-attempts.ts';
import type { RegisteredStateMachine } from './state-machines.ts';
import type { TaskTokens } from './tasks.ts';

export interface ExecutionSurroundings {
  readonly clock: Clock;
  readonly region: string;
  readonly invoke: Invoke;
  readonly tokens: TaskTokens;
}

interface ErrorDetails {
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

type Outcome =
  | { readonly status: 'SUCCEEDED'; readonly output: string }
  | ({ readonly status: 'FAILED' } & ErrorDetails)
  | ({ readonly status: 'ABORTED' } & ErrorDetails)
  | { readonly status: 'TIMED_OUT' };

type State = { readonly status: 'RUNNING' } | (Outcome & { readonly stopDate: number });

/** One execution of a state machine. It runs from construction to its single outcome. */
export class Execution {
  readonly arn: string;
  readonly name: string;
  /** The input text, unchanged. */
  readonly input: string;
  /** Increases over all executions: a later one has the higher number. */
  readonly sequence: number;
  readonly stateMachine: RegisteredStateMachine;
  readonly startDate: number;
  readonly history: ExecutionHistory;
  readonly #clock: Clock;
  readonly #attempts: StateAttempts;
  readonly #abortInterpreter: () => void;
  #state: State = { status: 'RUNNING' };

  constructor(
    start: Pick<Execution, 'arn' | 'name' | 'input' | 'sequence' | 'stateMachine'>,
    surroundings: ExecutionSurroundings,
  ) {
    this.arn = start.arn;
    this.name = start.name;
    this.input = start.input;
    this.sequence = start.sequence;
    this.stateMachine = start.stateMachine;
    this.#clock = surroundings.clock;
    this.startDate = this.#clock.now() / 1000;
    this.history = new ExecutionHistory(this.#clock);
    this.history.record('ExecutionStarted', {
      executionStartedEventDetails: {
        input: this.input,
        inputDetails: { truncated: false },
        roleArn: this.stateMachine.roleArn,
      },
    });
    this.#attempts = new StateAttempts(this.#clock);
    this.#abortInterpreter = this.#run(surroundings);
  }

  get status(): State['status'] {
    return this.#state.status;
  }

  /** Ends a running execution at once. A closed one stays unchanged. */
  stop(details: ErrorDetails): void {
    this.#close({ status: 'ABORTED', ...details });
    this.#abortInterpreter();
  }

  /** Members of DescribeExecution's answer. */
  describe(): State & Record<string, unknown> {
    return {
      executionArn: this.arn,
      stateMachineArn: this.stateMachine.arn,
      name: this.name,
      startDate: this.startDate,
      input: this.input,
      inputDetails: { included: true },
      ...this.#state,
      ...(this.#state.status === 'SUCCEEDED' && { outputDetails: { included: true } }),
    };
  }

  /** One entry of ListExecutions' answer. */
  summary(): Record<string, unknown> {
    return {
      executionArn: this.arn,
      stateMachineArn: this.stateMachine.arn,
      name: this.name,
      startDate: this.startDate,
      status: this.#state.status,
      ...(this.#state.status !== 'RUNNING' && { stopDate: this.#state.stopDate }),
    };
  }

  #run(surroundings: ExecutionSurroundings): () => void {
    const { program } = this.stateMachine;
    const lambdaTasks = { ...surroundings, history: this.history };
    const handlers = [...program.tasks].map(([stateName, definition]) => [
      stateName,
      (input: Json) => {
        this.#attempts.started(stateName);
        return startLambdaTask(definition, input, lambdaTasks);
      },
    ]);
    const input = JSON.parse(this.input) as Json;
    const run = new InterpreterScope(this.#clock).run(() =>
      program.machine.run(input, {
        context: this.#contextObject(input, surroundings.tokens),
        overrides: {
          taskResourceLocalHandlers: Object.fromEntries(handlers) as Record<
            string,
            (input: Json) => Promise<Json>
          >,
        },
      }),
    );
    void this.#follow(run.eventLogs);
    void this.#awaitOutcome(run.result);
    return run.abort;
  }

  /** The context object `$$`, to which `compileDefinition` rewrites paths. */
  #contextObject(input: Json, tokens: TaskTokens): Record<string, unknown> {
    return {
      WholeExecution: {
        Id: this.arn,
        Name: this.name,
        RoleArn: this.stateMachine.roleArn,
        Input: input,
        StartTime: new Date(this.startDate * 1000).toISOString(),
      },
      StateMachine: { Id: this.stateMachine.arn, Name: this.stateMachine.name },
      States: this.stateMachine.program.stateNames.map((name) => this.#attempts.contextOf(name)),
      Task: {
        get Token(): string {
          return tokens.issue();
        },
      },
    };
  }

  async #follow(
    events: ReturnType<RegisteredStateMachine['program']['machine']['run']>['eventLogs'],
  ) {
    for await (const event of events) {
      if (event.type === 'StateExited' || event.type === 'StateCaught') {
        this.#attempts.left(event.state.name);
      }
      if (this.#state.status === 'RUNNING') this.history.recordInterpreterEvent(event);
    }
  }

  async #awaitOutcome(result: Promise<Json>): Promise<void> {
    try {
      this.#close({ status: 'SUCCEEDED', output: JSON.stringify(await result) });
    } catch (error) {
      this.#close(
        error instanceof ExecutionTimeoutError
          ? { status: 'TIMED_OUT' }
          : { status: 'FAILED', ...errorDetails(error) },
      );
    }
  }

  #close(outcome: Outcome): void {
    if (this.#state.status !== 'RUNNING') return;
    this.#state = { ...outcome, stopDate: this.#clock.now() / 1000 };
    switch (outcome.status) {
      case 'SUCCEEDED':
        this.history.record('ExecutionSucceeded', {
          executionSucceededEventDetails: {
            output: outcome.output,
            outputDetails: { truncated: false },
          },
        });
        break;
      case 'FAILED':
        this.history.record('ExecutionFailed', { executionFailedEventDetails: details(outcome) });
        break;
      case 'ABORTED':
        this.history.record('ExecutionAborted', { executionAbortedEventDetails: details(outcome) });
        break;
      case 'TIMED_OUT':
        this.history.record('ExecutionTimedOut', { executionTimedOutEventDetails: {} });
        break;
    }
  }
}

function details({ error, cause }: ErrorDetails): ErrorDetails {
  return { error, cause };
}

/** The error that ended the run: a state's own, or one of the interpreter. */
function errorDetails(error: unknown): ErrorDetails {
  const reason = error instanceof ExecutionError ? error.cause : error;
  return reason instanceof Error
    ? { error: reason.name, cause: reason.message }
    : { error: 'States.Runtime', cause: String(reason) };
}
