/** Errors that AWS documents for the served operations, by their names on the wire. */
export type StepFunctionsErrorName =
  | 'ExecutionAlreadyExists'
  | 'ExecutionDoesNotExist'
  | 'InvalidArn'
  | 'InvalidDefinition'
  | 'InvalidExecutionInput'
  | 'InvalidName'
  | 'InvalidOutput'
  | 'InvalidToken'
  | 'SerializationException'
  | 'StateMachineAlreadyExists'
  | 'StateMachineDoesNotExist'
  | 'StateMachineTypeNotSupported'
  | 'TaskTimedOut'
  | 'UnknownOperationException'
  | 'ValidationException';

/** A refused request, answered with status 400 and its `name` as `__type`. */
export class StepFunctionsError extends Error {
  override readonly name: StepFunctionsErrorName;

  constructor(name: StepFunctionsErrorName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}
