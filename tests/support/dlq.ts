import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { queueClient } from '../../lib/platform/aws/queue-client.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import { runDlq } from '../../tools/dlq/run-dlq.ts';
import { type Finished, runNode } from '../unit/companion/run-node.ts';
import { runTool } from './run-tool.ts';
import { eventually, messagesIn } from './stack.ts';
import { embeddedOnly, isSimulated } from './target.ts';
import type { TestStack } from './test-stack.ts';

const TOOL = fileURLToPath(new URL('../../tools/dlq.ts', import.meta.url));

/** A dead letter as the tool's `--json` prints it. */
export interface Listed {
  readonly id: string;
  readonly queue: string;
  readonly since: string;
  readonly orderId: string | null;
  readonly run: number | null;
  readonly step: string | null;
  readonly error: string | null;
  readonly correlationId: string | null;
  readonly redrive: { readonly action: string; readonly words: string };
}

export interface Redriven extends Listed {
  readonly outcome: string;
}

/** Runs the tool in this process. */
export function dlq(stack: TestStack, ...args: readonly string[]): Promise<Finished> {
  return runTool(runDlq, stack, args);
}

/** Runs the tool as an operator would: it knows only where the companion is. */
export function spawnDlq(stack: TestStack, ...args: readonly string[]): Promise<Finished> {
  if (isSimulated) embeddedOnly('a process of its own reaches the stack');
  return runNode([TOOL, ...args], { COMPANION_URL: stack.companionUrl });
}

/** Starts the tool, so that a test can interrupt it as Ctrl-C does. */
export function startDlq(stack: TestStack, ...args: readonly string[]) {
  if (isSimulated) embeddedOnly('a process of its own reaches the stack');
  const child = spawn(process.execPath, [TOOL, ...args], {
    env: { ...process.env, COMPANION_URL: stack.companionUrl },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const finished = once(child, 'close').then(([exitCode]) => ({
    exitCode: exitCode as number | null,
    stderr,
  }));
  return { finished, interrupt: () => child.kill('SIGINT') };
}

export async function dlqJson<Result>(
  stack: TestStack,
  ...args: readonly string[]
): Promise<Result> {
  const { stdout, stderr, exitCode } = await dlq(stack, ...args, '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout) as Result;
}

/** The dead letters about one order in all three queues, as the tool lists them. */
export async function lettersAbout(stack: TestStack, orderId: string): Promise<Listed[]> {
  const { letters } = await dlqJson<{ letters: Listed[] }>(stack, 'list');
  return letters.filter((letter) => letter.orderId === orderId);
}

export async function redriveNamed(
  stack: TestStack,
  ...ids: readonly string[]
): Promise<readonly string[]> {
  const { letters } = await dlqJson<{ letters: Redriven[] }>(stack, 'redrive', ...ids);
  return letters.map(({ outcome, redrive: { action } }) => `${outcome} ${action}`);
}

/** The messages about one order in a queue, without receiving them. */
export function messagesAbout(
  stack: TestStack,
  queue: string,
  orderId: string,
): Record<string, unknown>[] {
  return messagesIn(stack, queue).filter((message) => message['orderId'] === orderId);
}

/** Sends a message to a queue, past a test's interceptor. */
export async function putInto(
  stack: TestStack,
  queue: string,
  ...bodies: readonly string[]
): Promise<void> {
  for (const MessageBody of bodies) {
    const QueueUrl = stack.queueUrls[queue];
    await queueClient(currentRuntime().aws).send(new SendMessageCommand({ QueueUrl, MessageBody }));
  }
}

type MessageState = 'ready' | 'inflight';

/** Number of messages in a queue. */
export function countIn(
  stack: TestStack,
  queue: string,
  ...states: readonly MessageState[]
): number {
  const name = stack.queueUrls[queue]?.split('/').at(-1) ?? '';
  const messages = stack.queues.inspectQueue(name)?.messages;
  const counted = states.length === 0 ? (['ready', 'inflight'] as const) : states;
  return counted.reduce((sum, state) => sum + (messages?.[state].length ?? 0), 0);
}

/** Checks that all dead letters are visible: the tool holds none back. */
export function expectNothingHidden(stack: TestStack): Promise<void> {
  return eventually(() => {
    for (const queue of ['Saga', 'Compensation', 'Acknowledgement']) {
      expect(countIn(stack, `${queue}DeadLetterQueue`, 'inflight')).toBe(0);
    }
  });
}
