import { randomUUID } from 'node:crypto';
import { StepFunctionsError } from './errors.ts';
import { Execution, type ExecutionSurroundings } from './executions.ts';
import { type Arns, checkArn, checkName } from './names.ts';
import type { RegisteredStateMachine } from './state-machines.ts';

/** Every execution since the process started. A name is never reused. */
export class ExecutionRegistry {
  readonly #arns: Arns;
  readonly #surroundings: ExecutionSurroundings;
  readonly #executions = new Map<string, Execution>();

  constructor(arns: Arns, surroundings: ExecutionSurroundings) {
    this.#arns = arns;
    this.#surroundings = surroundings;
  }

  /**
   * Starts an execution. If an execution with the same name and input is running, answers that one.
   * @throws StepFunctionsError InvalidName, InvalidExecutionInput, ExecutionAlreadyExists
   */
  start(
    stateMachine: RegisteredStateMachine,
    name = randomUUID() as string,
    input = '{}',
  ): Execution {
    checkName(name);
    checkJson(input);
    const arn = this.#arns.execution(stateMachine.name, name);
    const existing = this.#executions.get(arn);
    if (existing !== undefined) {
      if (existing.status === 'RUNNING' && existing.input === input) return existing;
      throw new StepFunctionsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const sequence = this.#executions.size + 1;
    const execution = new Execution(
      { arn, name, input, sequence, stateMachine },
      this.#surroundings,
    );
    this.#executions.set(arn, execution);
    return execution;
  }

  /** @throws StepFunctionsError InvalidArn, ExecutionDoesNotExist */
  get(arn: string): Execution {
    checkArn('execution', arn);
    const execution = this.#executions.get(arn);
    if (execution === undefined) {
      throw new StepFunctionsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    }
    return execution;
  }

  /** Newest first. */
  listOf(stateMachineArn: string): Execution[] {
    return [...this.#executions.values()]
      .filter(({ stateMachine }) => stateMachine.arn === stateMachineArn)
      .reverse();
  }

  /** Stops running executions, of one state machine or of all. */
  stopAll(stateMachineArn?: string): void {
    for (const execution of this.#executions.values()) {
      if (stateMachineArn === undefined || execution.stateMachine.arn === stateMachineArn) {
        execution.stop({});
      }
    }
  }
}

function checkJson(input: string): void {
  try {
    JSON.parse(input);
  } catch (error) {
    throw new StepFunctionsError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: '${error instanceof Error ? error.message : input}'`,
      { cause: error },
    );
  }
}
