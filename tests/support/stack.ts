import { setTimeout as pause } from 'node:timers/promises';
import {
  type ExecutionListItem,
  ListExecutionsCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { queueClient } from '../../lib/platform/aws/queue-client.ts';
import { stateMachineClient } from '../../lib/platform/aws/state-machine-client.ts';
import { type Interceptor, passThrough } from '../../lib/platform/effects.ts';
import { createRuntime, currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import { type EmbeddedStackOptions, startEmbeddedStack } from '../../local/stack/embedded-stack.ts';
import { withDelays } from './delays.ts';
import { connectToDeployedStack } from './deployed-stack.ts';
import { runtimesBeside } from './runtimes-beside.ts';
import { currentPace, startSimulatedStack } from './simulated/simulated-stack.ts';
import { isDeployed, isSimulated, isSkip } from './target.ts';
import type { TestStack } from './test-stack.ts';

/**
 * Starts a stack for the test file: simulated, embedded on free ports, or a connection to the deployed one.
 * The vitest project decides (`TEST_STACK`); the deployed one keeps its own settings.
 */
export async function startTestStack(
  environment: Readonly<Record<string, string>> = {},
): Promise<TestStack> {
  if (isDeployed) return connectToDeployedStack();
  if (isSimulated) return startSimulatedStack(environment);
  return startEmbeddedTestStack({ environment });
}

/** Starts an embedded stack for the test file on free ports. */
export async function startEmbeddedTestStack(
  options: Omit<EmbeddedStackOptions, 'ports'>,
): Promise<TestStack> {
  let intercept = options.intercept ?? passThrough;
  const stack = await startEmbeddedStack({
    ports: { api: 0, companion: 0, stepFunctions: 0, queues: 0, dynamodb: 0 },
    ...options,
    intercept: withDelays((effect, proceed) => intercept(effect, proceed)),
  });
  const runtime = runtimesBeside((overrides) =>
    createRuntime(stack.environment, { clock: stack.clock, ...overrides }),
  );
  const setInterceptor = (replacement: Interceptor) => {
    intercept = replacement;
  };
  return { ...stack, setInterceptor, runtime };
}

const POLL_PAUSE_MS = 20;
const MOMENT_MS = 50;
const SLOW_POLL_PAUSE_MS = 250;
/** An emulator on a busy machine is about ten times slower. */
const GIVE_UP_AFTER_MS = isDeployed ? 90_000 : 20_000;

/** Repeats `check` until it succeeds, and returns its result; limited in the stack's time. */
export async function eventually<Result>(check: () => Promise<Result> | Result): Promise<Result> {
  const pace = currentPace();
  if (pace !== undefined) return pace.eventually(check, GIVE_UP_AFTER_MS);
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (isSkip(error) || performance.now() > giveUpAt) throw error;
    }
    await pause(isDeployed ? SLOW_POLL_PAUSE_MS : POLL_PAUSE_MS);
  }
}

/** Lets time pass while work outside the handlers runs; has an effect only on the simulated stack. */
export function asTimePasses<Result>(work: () => Promise<Result>): Promise<Result> {
  return currentPace()?.during(work) ?? work();
}

/** Lets other work proceed between two checks of a test's own loop. */
export async function aMoment(): Promise<void> {
  const pace = currentPace();
  await (pace === undefined ? pause(0) : pace.advance(MOMENT_MS));
}

/**
 * Advances the stack's time in steps until `check` succeeds.
 * @param stepSeconds shorter than any interval that must not be skipped.
 */
export async function asTimeGoesOn<Result>(
  stack: TestStack,
  check: () => Promise<Result>,
  { stepSeconds = 5, limitSeconds = 900 } = {},
): Promise<Result> {
  // A deployed stack runs in real time.
  if (isDeployed) return eventually(check);
  for (let passedSeconds = 0; ; passedSeconds += stepSeconds) {
    try {
      return await check();
    } catch (error) {
      if (passedSeconds >= limitSeconds) throw error;
    }
    await stack.clock.advance(stepSeconds * 1000);
  }
}

/** All executions of the order saga, or those of one order by run number. */
export async function executions(stack: TestStack, orderId?: string): Promise<ExecutionListItem[]> {
  const stateMachines = stateMachineClient(stack.runtime().aws);
  const found: ExecutionListItem[] = [];
  let nextToken: string | undefined;
  do {
    const page = await stateMachines.send(
      new ListExecutionsCommand({ stateMachineArn: stack.orderSagaArn, nextToken }),
    );
    found.push(...(page.executions ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return found
    .filter(({ name }) => orderId === undefined || name?.startsWith(`${orderId}-`))
    .sort((a, b) => runOf(a) - runOf(b));
}

export function runOf({ name }: ExecutionListItem): number {
  return Number(name?.split('-').at(-1));
}

/** Aborts an execution, as an operator could in the console. */
export async function abortExecution(stack: TestStack, orderId: string, run = 1): Promise<void> {
  const stateMachines = stateMachineClient(stack.runtime().aws);
  const machineArn = stack.orderSagaArn.replace(':stateMachine:', ':execution:');
  const executionArn = `${machineArn}:${orderId}-${String(run)}`;
  await stateMachines.send(new StopExecutionCommand({ executionArn }));
  // A call under way outlives its execution, and would do its work once a fault is healed.
  await stack.clock.settle();
}

/** Number of messages of a queue in any state, by its logical id. */
export async function messagesLeftIn(stack: TestStack, queue: string): Promise<number> {
  if (!isDeployed) return messagesIn(stack, queue).length;
  const { Attributes = {} } = await queueClient(currentRuntime().aws).send(
    new GetQueueAttributesCommand({
      QueueUrl: stack.queueUrls[queue],
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    }),
  );
  return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0);
}

/** Messages of a queue in any state, by its logical id, without receiving them. */
export function messagesIn(stack: TestStack, queue: string): Record<string, unknown>[] {
  const name = stack.queueUrls[queue]?.split('/').at(-1) ?? '';
  const found = stack.queues.inspectQueue(name);
  if (found === undefined) throw new Error(`There is no queue ${queue}.`);
  const { ready, delayed, inflight } = found.messages;
  return [...ready, ...delayed, ...inflight.map(({ message }) => message)].map(
    ({ body }) => JSON.parse(body) as Record<string, unknown>,
  );
}
