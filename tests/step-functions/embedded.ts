import { runInThisContext } from 'node:vm';
import { SFNClient } from '@aws-sdk/client-sfn';
import {
  type StepFunctionsServer,
  type StepFunctionsServerOptions,
  startStepFunctionsServer,
} from '../../local/step-functions/server.ts';
import type { Connection } from './connection.ts';
import { lambdaFunctions } from './lambda-functions.ts';
import { ManualClock } from './manual-clock.ts';

const REGION = 'eu-central-1';
const ACCOUNT_ID = '000000000000';

/** Starts a server for one test, on a free port. */
export function startEmbedded(
  options: Pick<StepFunctionsServerOptions, 'clock' | 'invoke'> &
    Partial<StepFunctionsServerOptions>,
): Promise<StepFunctionsServer> {
  return startStepFunctionsServer({
    host: '127.0.0.1',
    port: 0,
    region: REGION,
    accountId: ACCOUNT_ID,
    ...options,
  });
}

export function clientOf(server: Pick<StepFunctionsServer, 'url'>): SFNClient {
  return new SFNClient({
    endpoint: server.url,
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

/** The Lambda functions of these tests, freshly loaded. */
export function inProcessFunctions(): StepFunctionsServerOptions['invoke'] {
  const handlers = new Map(
    Object.entries(lambdaFunctions).map(([name, source]) => [name, load(source)]),
  );
  return async (functionName, payload) => {
    const handler = handlers.get(functionName);
    if (handler === undefined) throw new Error(`no function ${functionName}`);
    return handler(payload);
  };
}

/** The embedded server on a clock that only a test moves. */
export async function connectToEmbedded(): Promise<Connection> {
  const clock = new ManualClock();
  const invoke = inProcessFunctions();
  const server = await startEmbedded({ clock, invoke });
  const client = clientOf(server);
  return {
    client,
    pollEveryMs: 0,
    invoke,
    functionName: (name) => name,
    functionArn: (name) => `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${name}`,
    letPass: (seconds) => {
      clock.advance(seconds);
    },
    close: async () => {
      client.destroy();
      await server.stop();
    },
  };
}

type Handler = (event: unknown) => Promise<unknown>;

function load(source: string): Handler {
  const module: { handler?: Handler } = {};
  const define = runInThisContext(`(exports) => {${source}\n}`) as (exports: object) => void;
  define(module);
  if (module.handler === undefined) throw new Error('a function exports its handler');
  return module.handler;
}
