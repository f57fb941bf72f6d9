import { setImmediate as nextMacrotask } from 'node:timers/promises';
import type { TaskDefinition } from './definition.ts';
import {
  type ExecutionHistory,
  integrationEvents,
  lambdaFunctionEvents,
  type TaskEvents,
} from './history.ts';
import { interpreterScope, type Json, outsideInterpreter } from './interpreter.ts';
import { Task, type TaskTokens } from './tasks.ts';

/** Invokes a Lambda function by its bare name. A rejection's `name` is the error's name. */
export type Invoke = (functionName: string, payload: unknown) => Promise<unknown>;

export interface LambdaTaskSurroundings {
  readonly invoke: Invoke;
  readonly tokens: TaskTokens;
  readonly history: ExecutionHistory;
  readonly region: string;
}

/**
 * Starts one attempt of a Task state. The interpreter calls it with the state's effective input.
 * @returns the task's result; it never settles if nobody waits for the task any more.
 */
export function startLambdaTask(
  definition: TaskDefinition,
  input: Json,
  surroundings: LambdaTaskSurroundings,
): Promise<Json> {
  const { invoke, tokens, history, region } = surroundings;
  const { integration, resource, heartbeatSeconds } = definition;
  const events =
    integration === 'function'
      ? lambdaFunctionEvents(history, resource)
      : integrationEvents(history, {
          resourceType: 'lambda',
          resource: integration === 'callback' ? 'invoke.waitForTaskToken' : 'invoke',
          region,
        });
  const task = new Task(interpreterScope(), events);
  if (integration === 'callback') {
    tokens.assignTo(task);
    if (heartbeatSeconds !== undefined) task.expectHeartbeats(heartbeatSeconds);
  }
  void outsideInterpreter(() => attempt(task, events, definition, input, invoke));
  return task.result;
}

async function attempt(
  task: Task,
  events: TaskEvents,
  definition: TaskDefinition,
  input: Json,
  invoke: Invoke,
): Promise<void> {
  // The interpreter's event that it entered the state is still on its way to the history.
  await nextMacrotask();
  if (!task.isOpen()) return;
  events.started(input, definition);
  try {
    const output = await call(definition, input, invoke);
    if (!task.isOpen()) return;
    if (definition.integration === 'callback') events.submitted(output);
    else task.succeed(output);
  } catch (error) {
    if (task.isOpen()) task.fail(...describeFailure(error));
  }
}

async function call(definition: TaskDefinition, input: Json, invoke: Invoke): Promise<Json> {
  if (definition.integration === 'function') {
    return copyOf(await invoke(bareFunctionName(definition.resource), copyOf(input)));
  }
  const { FunctionName: functionName, Payload: payload } = input as {
    FunctionName: string;
    Payload?: Json;
  };
  return {
    ExecutedVersion: '$LATEST',
    Payload: copyOf(await invoke(bareFunctionName(functionName), copyOf(payload ?? {}))),
    StatusCode: 200,
  };
}

/** Parses `name`, `name:alias`, `account:function:name` or an ARN, with or without a qualifier. */
function bareFunctionName(functionName: string): string {
  const name = functionName.split(':function:').at(-1) ?? functionName;
  return name.split(':')[0] ?? name;
}

/** Lambda's refusal of an invocation for which no instance is free. Step Functions puts `Lambda.` before its name. */
const THROTTLED = 'TooManyRequestsException';

/** Describes an error as Lambda reports it. An error from another realm is no instance of this realm's Error. */
function describeFailure(failure: unknown): [error: string, cause: string] {
  const isErrorLike = typeof failure === 'object' && failure !== null && 'name' in failure;
  const error = isErrorLike ? (failure as Partial<Error>) : new Error(String(failure));
  const { name = 'Error', message: errorMessage = '', stack = '' } = error;
  const errorType = name === THROTTLED ? `Lambda.${name}` : name;
  return [errorType, JSON.stringify({ errorType, errorMessage, trace: stack.split('\n') })];
}

/** The value after a round trip through JSON; `undefined` becomes `null`. */
function copyOf(value: unknown): Json {
  return JSON.parse(JSON.stringify(value ?? null)) as Json;
}
