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

/** Invokes a Lambda function by its bare name; a rejection's `name` is the error's name. */
export type Invoke = (functionName: string, payload: unknown) => Promise<unknown>;

export interface LambdaTaskSurroundings {
  readonly invoke: Invoke;
  readonly tokens: TaskTokens;
  readonly history: ExecutionHistory;
  readonly region: string;
}

/**
 * Starts one attempt of a Task state; called by the interpreter with the state's effective input.
 * @returns what completes the task; pending for ever once nobody waits for it any more.
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
  // The interpreter's report that the state was entered is still on its way to the history.
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

/** `name`, `name:alias`, `account:function:name` or an ARN, with or without a qualifier. */
function bareFunctionName(functionName: string): string {
  const name = functionName.split(':function:').at(-1) ?? functionName;
  return name.split(':')[0] ?? name;
}

/** As Lambda reports an error; one from another realm is no instance of this one's Error. */
function describeFailure(failure: unknown): [error: string, cause: string] {
  const isErrorLike = typeof failure === 'object' && failure !== null && 'name' in failure;
  const error = isErrorLike ? (failure as Partial<Error>) : new Error(String(failure));
  const { name: errorType = 'Error', message: errorMessage = '', stack = '' } = error;
  return [errorType, JSON.stringify({ errorType, errorMessage, trace: stack.split('\n') })];
}

/** What is left of a value once it has been JSON; `undefined` becomes `null`. */
function copyOf(value: unknown): Json {
  return JSON.parse(JSON.stringify(value ?? null)) as Json;
}
