import type { Clock } from '../../lib/platform/clock.ts';
import { compileDefinition, type Program } from './definition.ts';
import { StepFunctionsError } from './errors.ts';
import { type Arns, checkArn, checkName } from './names.ts';

export interface RegisteredStateMachine {
  readonly arn: string;
  readonly name: string;
  readonly definition: string;
  readonly roleArn: string;
  readonly creationDate: number;
  /** Increases over all state machines: a later one has the higher number. */
  readonly sequence: number;
  readonly program: Program;
}

/** The existing state machines, by ARN. */
export class StateMachines {
  readonly #arns: Arns;
  readonly #clock: Clock;
  readonly #machines = new Map<string, RegisteredStateMachine>();
  #created = 0;

  constructor(arns: Arns, clock: Clock) {
    this.#arns = arns;
    this.#clock = clock;
  }

  /**
   * Creates a state machine. If it exists with the same definition, answers the existing one.
   * @throws StepFunctionsError InvalidName, InvalidDefinition, StateMachineAlreadyExists
   */
  create(name: string, definition: string, roleArn: string): RegisteredStateMachine {
    checkName(name);
    const program = compileDefinition(definition);
    const arn = this.#arns.stateMachine(name);
    const existing = this.#machines.get(arn);
    if (existing?.definition === definition) return existing;
    if (existing !== undefined) {
      throw new StepFunctionsError(
        'StateMachineAlreadyExists',
        `State Machine Already Exists: '${arn}'`,
      );
    }
    this.#created += 1;
    const machine = {
      arn,
      name,
      definition,
      roleArn,
      creationDate: this.#clock.now() / 1000,
      sequence: this.#created,
      program,
    };
    this.#machines.set(arn, machine);
    return machine;
  }

  /** @throws StepFunctionsError InvalidArn, StateMachineDoesNotExist */
  get(arn: string): RegisteredStateMachine {
    checkArn('stateMachine', arn);
    const machine = this.#machines.get(arn);
    if (machine === undefined) {
      throw new StepFunctionsError(
        'StateMachineDoesNotExist',
        `State Machine Does Not Exist: '${arn}'`,
      );
    }
    return machine;
  }

  /** In the order they were created. */
  list(): RegisteredStateMachine[] {
    return [...this.#machines.values()];
  }

  /**
   * Deletes a state machine. A missing one counts as deleted.
   * @throws StepFunctionsError InvalidArn
   */
  delete(arn: string): void {
    checkArn('stateMachine', arn);
    this.#machines.delete(arn);
  }
}
