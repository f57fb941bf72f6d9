import { setTimeout as pause } from 'node:timers/promises';
import {
  type ExecutionListItem,
  ListExecutionsCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { queueClient } from '../../lib/platform/aws/queue-client.ts';
import { currentRuntime } from '../../lib/platform/runtime.ts';
import { type EmbeddedStack, startEmbeddedStack } from '../../local/stack/embedded-stack.ts';
import { connectToDeployedStack } from './deployed-stack.ts';
import { isDeployed, isSkip } from './target.ts';

/** A stack of a test file's own, on free ports; or the one that is deployed, as it is configured. */
export function startTestStack(
  environment: Readonly<Record<string, string>> = {},
): Promise<EmbeddedStack> {
  if (isDeployed) return connectToDeployedStack();
  return startEmbeddedStack({
    ports: { api: 0, companion: 0, stepFunctions: 0, queues: 0, dynamodb: 0 },
    environment,
  });
}

const POLL_PAUSE_MS = 20;
const SLOW_POLL_PAUSE_MS = 250;
/** An emulator on a busy machine is some ten times slower. */
const GIVE_UP_AFTER_MS = isDeployed ? 90_000 : 20_000;

/** Looks again until `check` throws no more, and then answers what it answered; bounded in real time. */
export async function eventually<Result>(check: () => Promise<Result> | Result): Promise<Result> {
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

/**
 * Lets the stack's time go on in steps until `check` throws no more.
 * @param stepSeconds shorter than whatever must not be jumped over.
 */
export async function asTimeGoesOn<Result>(
  stack: EmbeddedStack,
  check: () => Promise<Result>,
  { stepSeconds = 5, limitSeconds = 900 } = {},
): Promise<Result> {
  // There time goes on by itself.
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

/** A client of the stack's state machines that passes no interceptor. */
function stateMachines(stack: EmbeddedStack): SFNClient {
  return new SFNClient({
    endpoint: stack.endpoints.stepFunctions,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
}

/** All executions of the order saga, or those of one order by the number of their run. */
export async function executions(
  stack: EmbeddedStack,
  orderId?: string,
): Promise<ExecutionListItem[]> {
  const client = stateMachines(stack);
  const found: ExecutionListItem[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(
      new ListExecutionsCommand({ stateMachineArn: stack.orderSagaArn, nextToken }),
    );
    found.push(...(page.executions ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  client.destroy();
  return found
    .filter(({ name }) => orderId === undefined || name?.startsWith(`${orderId}-`))
    .sort((a, b) => runOf(a) - runOf(b));
}

export function runOf({ name }: ExecutionListItem): number {
  return Number(name?.split('-').at(-1));
}

/** As an operator would in the console. */
export async function abortExecution(
  stack: EmbeddedStack,
  orderId: string,
  run = 1,
): Promise<void> {
  const client = stateMachines(stack);
  const machineArn = stack.orderSagaArn.replace(':stateMachine:', ':execution:');
  const executionArn = `${machineArn}:${orderId}-${String(run)}`;
  await client.send(new StopExecutionCommand({ executionArn }));
  client.destroy();
}

/** How many messages a queue holds by its logical id, in any state. */
export async function messagesLeftIn(stack: EmbeddedStack, queue: string): Promise<number> {
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

/** The messages of a queue by its logical id, in any state, without taking them. */
export function messagesIn(stack: EmbeddedStack, queue: string): Record<string, unknown>[] {
  const name = stack.queueUrls[queue]?.split('/').at(-1) ?? '';
  const found = stack.queues.inspectQueue(name);
  if (found === undefined) throw new Error(`There is no queue ${queue}.`);
  const { ready, delayed, inflight } = found.messages;
  return [...ready, ...delayed, ...inflight.map(({ message }) => message)].map(
    ({ body }) => JSON.parse(body) as Record<string, unknown>,
  );
}
