import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { type AwsAccess, intercepted, OVER_THE_NETWORK, perAccess } from './aws-access.ts';

/** Shorter than for other services: a request waits for the secret. */
const REQUEST_TIMEOUT_MS = 2000;
const MAX_ATTEMPTS = 2;

const parameterClient = perAccess('parameters', (access) =>
  intercepted(
    new SSMClient({
      requestHandler: access.requestHandler ?? {
        ...OVER_THE_NETWORK,
        requestTimeout: REQUEST_TIMEOUT_MS,
      },
      maxAttempts: MAX_ATTEMPTS,
    }),
    'ssm',
    access,
  ),
);

/**
 * Reads one decrypted parameter of SSM Parameter Store; empty if it has no value.
 * @throws the SDK's error.
 */
export async function readParameter(access: AwsAccess, name: string): Promise<string> {
  const output = await parameterClient(access).send(
    new GetParameterCommand({ Name: name, WithDecryption: true }),
  );
  return output.Parameter?.Value ?? '';
}
