import type { Clock } from '../../lib/platform/clock.ts';
import { ExecutionRegistry } from './execution-registry.ts';
import { installInterpreterScopes } from './interpreter.ts';
import type { Invoke } from './lambda-tasks.ts';
import { Arns } from './names.ts';
import { createOperations, type Operation } from './operations.ts';
import { StateMachines } from './state-machines.ts';
import { TaskTokens } from './tasks.ts';

export interface StepFunctionsOptions {
  /** Clock of all waits, back-offs, time-outs and timestamps. */
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  /** Invokes a Lambda function by its bare name. Retry and Catch match the `name` of its rejection. */
  readonly invoke: Invoke;
  /** State machines to create at the start. */
  readonly stateMachines?: readonly { readonly name: string; readonly definition: object }[];
  /** Makes task tokens; by default long random ones. */
  readonly newToken?: () => string;
}

/** AWS Step Functions over the embedded interpreter, in memory. */
export interface StepFunctions {
  /** Operations by their name in X-Amz-Target, without the prefix. */
  readonly operations: ReadonlyMap<string, Operation>;
  readonly executions: ExecutionRegistry;
  readonly tokens: TaskTokens;
  stateMachineArn(name: string): string;
  /** Aborts running executions. */
  stop(): void;
}

/** @throws StepFunctionsError if a state machine's definition is refused. */
export function createStepFunctions(options: StepFunctionsOptions): StepFunctions {
  const { clock, region, accountId, invoke, newToken } = options;
  const arns = new Arns(region, accountId);
  const tokens = new TaskTokens(newToken);
  const stateMachines = new StateMachines(arns, clock);
  const executions = new ExecutionRegistry(arns, { clock, region, invoke, tokens });
  for (const { name, definition } of options.stateMachines ?? []) {
    const roleArn = `arn:aws:iam::${accountId}:role/${name}`;
    stateMachines.create(name, JSON.stringify(definition), roleArn);
  }
  const uninstall = installInterpreterScopes();
  return {
    operations: createOperations({ stateMachines, executions, tokens }),
    executions,
    tokens,
    stateMachineArn: (name) => arns.stateMachine(name),
    stop: () => {
      executions.stopAll();
      uninstall();
    },
  };
}
