import { randomBytes } from 'node:crypto';
import {
  GetParameterCommand,
  ParameterNotFound,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { STAGE } from './deploy.ts';

/** Values of the secrets that functions read from Parameter Store by names under the stage. */
export interface StageSecrets {
  readonly INVENTORY_CREDENTIAL: string;
  /** Two, as while one is replaced; the gateway signs with the first. */
  readonly WEBHOOK_SECRETS: string;
}

/** What an earlier deployment has made stays: functions that run know it. */
export async function prepareSecrets(): Promise<StageSecrets> {
  const client = new SSMClient({});
  try {
    const [credential, webhook] = await Promise.all([
      parameter(client, 'inventory-credential', randomSecret()),
      parameter(client, 'webhook-secrets', `${randomSecret()},${randomSecret()}`),
    ]);
    return { INVENTORY_CREDENTIAL: credential, WEBHOOK_SECRETS: webhook };
  } finally {
    client.destroy();
  }
}

async function parameter(client: SSMClient, name: string, Value: string): Promise<string> {
  const Name = `/ordersaga/${STAGE}/${name}`;
  try {
    const found = await client.send(new GetParameterCommand({ Name, WithDecryption: true }));
    if (found.Parameter?.Value !== undefined) return found.Parameter.Value;
  } catch (error) {
    if (!(error instanceof ParameterNotFound)) throw error;
  }
  await client.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
  return Value;
}

function randomSecret(): string {
  return randomBytes(24).toString('base64url');
}
