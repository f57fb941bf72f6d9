import { randomBytes } from 'node:crypto';
import {
  GetParameterCommand,
  ParameterNotFound,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { STAGE } from './deploy.ts';

/** Values of the secrets that functions read from Parameter Store, by names under the stage. */
export interface StageSecrets {
  readonly INVENTORY_CREDENTIAL: string;
  /** Two secrets, as during a rotation. The gateway signs with the first. */
  readonly WEBHOOK_SECRETS: string;
}

/**
 * Writes the given secrets to Parameter Store and generates the missing ones. A secret of an earlier deployment
 * is otherwise kept, because running functions know it.
 */
export async function prepareSecrets(given: Partial<StageSecrets>): Promise<StageSecrets> {
  const client = new SSMClient({});
  try {
    const [credential, webhook] = await Promise.all([
      given.INVENTORY_CREDENTIAL === undefined
        ? foundOrMade(client, 'inventory-credential', randomSecret())
        : put(client, 'inventory-credential', given.INVENTORY_CREDENTIAL),
      given.WEBHOOK_SECRETS === undefined
        ? foundOrMade(client, 'webhook-secrets', `${randomSecret()},${randomSecret()}`)
        : put(client, 'webhook-secrets', given.WEBHOOK_SECRETS),
    ]);
    return { INVENTORY_CREDENTIAL: credential, WEBHOOK_SECRETS: webhook };
  } finally {
    client.destroy();
  }
}

async function foundOrMade(client: SSMClient, name: string, made: string): Promise<string> {
  try {
    const found = await client.send(
      new GetParameterCommand({ Name: pathOf(name), WithDecryption: true }),
    );
    if (found.Parameter?.Value !== undefined) return found.Parameter.Value;
  } catch (error) {
    if (!(error instanceof ParameterNotFound)) throw error;
  }
  return put(client, name, made);
}

async function put(client: SSMClient, name: string, Value: string): Promise<string> {
  const parameter = { Name: pathOf(name), Value, Type: 'SecureString', Overwrite: true } as const;
  await client.send(new PutParameterCommand(parameter));
  return Value;
}

function pathOf(name: string): string {
  return `/ordersaga/${STAGE}/${name}`;
}

function randomSecret(): string {
  return randomBytes(24).toString('base64url');
}
