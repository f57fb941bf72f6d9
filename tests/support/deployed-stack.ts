import { setTimeout as pause } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { passThrough } from '../../lib/platform/effects.ts';
import { createRuntime, installRuntime } from '../../lib/platform/lambda/runtime.ts';
import { overrideEnvironment } from '../../local/stack/environment.ts';
import { admitAtOnce } from '../../local/stack/lambda-runtime.ts';
import { runtimesBeside } from './runtimes-beside.ts';
import { deployed, embeddedOnly } from './target.ts';
import type { TestStack } from './test-stack.ts';

/** Longest real pause that a test may ask for. */
const LONGEST_PAUSE_MS = 5000;

const SCHEDULED = ['dispatchDueWork', 'expireReservations'];

/**
 * The stack that `npm run test:stack` deployed, behind the interface of the embedded one. A member that only
 * the embedded one has skips the calling test.
 */
export async function connectToDeployedStack(): Promise<TestStack> {
  const { apiUrl, companionUrl } = deployed;
  const answer = await fetch(`${companionUrl}/stack`);
  const { environment: told } = (await answer.json()) as { environment: Record<string, string> };
  const restore = overrideEnvironment(
    Object.fromEntries(Object.entries(told).filter(([name]) => name.startsWith('AWS_'))),
  );
  const environment: Record<string, string> = { ...told, ...(await readSecrets(told)) };
  installRuntime(createRuntime(environment));
  const lambda = new LambdaClient({});
  const { AWS_ENDPOINT_URL: endpoint = '', ORDER_SAGA_ARN: orderSagaArn = '' } = environment;
  const stack = {
    apiUrl,
    companionUrl,
    environment,
    orderSagaArn,
    endpoints: { dynamodb: endpoint, queues: endpoint, stepFunctions: endpoint },
    tableNames: logicalIds(environment, /_TABLE$/, 'Table'),
    queueUrls: logicalIds(environment, /_QUEUE_URL$/, 'Queue'),
    clock: { now: () => Date.now(), advance: wait, settle: () => Promise.resolve() },
    runtime: runtimesBeside((overrides) => createRuntime(environment, overrides)),
    mintToken: (subject: string, scope?: string) => mintToken(companionUrl, subject, scope),
    setInterceptor: (intercept: unknown) => {
      if (intercept !== passThrough) embeddedOnly('what a function does is intercepted');
    },
    setAdmission: (admission: unknown) => {
      if (admission !== admitAtOnce) embeddedOnly('an invocation is delayed or refused');
    },
    runSchedules: async () => {
      const stage = stageOf(orderSagaArn);
      for (const name of SCHEDULED) {
        await lambda.send(new InvokeCommand({ FunctionName: `ordersaga-${stage}-${name}` }));
      }
    },
    // The deployed event source mappings poll by themselves.
    pollQueues: () => Promise.resolve(0),
    logs: () => embeddedOnly('the log is read'),
    get queues() {
      return embeddedOnly('messages are looked at in their queue');
    },
    stop: () => {
      lambda.destroy();
      restore();
      return Promise.resolve();
    },
  };
  return stack as unknown as TestStack;
}

/** The values of the secrets that the environment names, as functions read them. */
async function readSecrets(
  environment: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const client = new SSMClient({});
  const named = Object.entries(environment).filter(([name]) => name.endsWith('_PARAMETER'));
  const secrets = await Promise.all(
    named.map(async ([name, path]) => {
      const found = await client.send(
        new GetParameterCommand({ Name: path, WithDecryption: true }),
      );
      return [name.replace(/_PARAMETER$/, ''), found.Parameter?.Value ?? ''] as const;
    }),
  );
  client.destroy();
  return Object.fromEntries(secrets);
}

async function wait(milliseconds: number): Promise<void> {
  if (milliseconds > LONGEST_PAUSE_MS) embeddedOnly('time travels');
  await pause(milliseconds);
}

/** `COMPENSATION_DEAD_LETTER_QUEUE_URL` is the queue `CompensationDeadLetterQueue`. */
function logicalIds(
  environment: Readonly<Record<string, string>>,
  ending: RegExp,
  kind: string,
): Record<string, string> {
  const named = Object.entries(environment).filter(([name]) => ending.test(name));
  return Object.fromEntries(
    named.map(([name, value]) => {
      const words = name.replace(ending, '').toLowerCase().split('_');
      const camel = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
      return [camel + kind, value];
    }),
  );
}

function stageOf(orderSagaArn: string): string {
  return /:ordersaga-(\w+)-order-saga$/.exec(orderSagaArn)?.[1] ?? '';
}

async function mintToken(companionUrl: string, subject: string, scope?: string): Promise<string> {
  const response = await fetch(`${companionUrl}/issuer/token`, {
    method: 'POST',
    body: JSON.stringify({ subject, scope }),
  });
  return ((await response.json()) as { readonly token: string }).token;
}
