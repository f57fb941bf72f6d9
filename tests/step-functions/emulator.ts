import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import JSZip from 'jszip';
import type { Connection } from './connection.ts';
import { lambdaFunctions } from './lambda-functions.ts';

const ACCOUNT_ID = '000000000000';

/** Deploys the functions to an emulator that serves Lambda and Step Functions on one endpoint. */
export async function connectToEmulator(endpoint: string): Promise<Connection> {
  const region = 'us-east-1';
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const lambda = new LambdaClient({ endpoint, region, credentials });
  const prefix = `step-functions-test-${Date.now().toString(36)}`;
  for (const [name, source] of Object.entries(lambdaFunctions)) {
    const FunctionName = `${prefix}-${name}`;
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: `arn:aws:iam::${ACCOUNT_ID}:role/x`,
        Timeout: 30,
        Code: {
          ZipFile: await new JSZip().file('index.js', source).generateAsync({ type: 'uint8array' }),
        },
      }),
    );
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60 }, { FunctionName });
  }
  const client = new SFNClient({ endpoint, region, credentials });
  return {
    client,
    pollEveryMs: 100,
    invoke: async (name, payload) => {
      const { Payload = new Uint8Array() } = await lambda.send(
        new InvokeCommand({
          FunctionName: `${prefix}-${name}`,
          Payload: Buffer.from(JSON.stringify(payload)),
        }),
      );
      return JSON.parse(Buffer.from(Payload).toString()) as unknown;
    },
    functionName: (name) => `${prefix}-${name}`,
    functionArn: (name) => `arn:aws:lambda:${region}:${ACCOUNT_ID}:function:${prefix}-${name}`,
    // The emulator uses real time, so polling simply goes on until the time has passed.
    letPass: () => undefined,
    close: () => {
      client.destroy();
      lambda.destroy();
      return Promise.resolve();
    },
  };
}
