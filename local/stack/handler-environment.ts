import { type IntrinsicValues, resolveIntrinsics } from './intrinsics.ts';
import type { ServiceDefinition } from './service-definition.ts';

/** Credentials that satisfy the SDK. No local server checks them. */
export const DUMMY_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/**
 * The functions' environment as a deployment would fill it in. Values that a deployment looks up are replaced by
 * those that only this stack knows: its URLs and its secrets.
 */
export function handlerEnvironment(
  { provider }: ServiceDefinition,
  values: IntrinsicValues,
  known: Readonly<Record<string, string>>,
): Record<string, string> {
  const declared = Object.entries(provider.environment)
    .filter(([name]) => known[name] === undefined)
    .map(([name, value]) => [name, String(resolveIntrinsics(value, values))]);
  return { ...(Object.fromEntries(declared) as Record<string, string>), ...known };
}

/** Points the AWS SDK at the stack by its own standard variables. */
export function sdkEnvironment(
  region: string,
  endpoints: { readonly dynamodb: string; readonly queues: string; readonly stepFunctions: string },
): Record<string, string | undefined> {
  return {
    // The SDK would prefer either of them to the credentials below.
    AWS_PROFILE: undefined,
    AWS_SESSION_TOKEN: undefined,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: DUMMY_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: DUMMY_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SQS: endpoints.queues,
    AWS_ENDPOINT_URL_SFN: endpoints.stepFunctions,
  };
}
