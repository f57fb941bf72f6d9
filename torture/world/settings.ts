import { handlerEnvironment, sdkEnvironment } from '../../local/stack/handler-environment.ts';
import type { IntrinsicValues } from '../../local/stack/intrinsics.ts';
import type { ServiceDefinition } from '../../local/stack/service-definition.ts';

/** Names of the world's hosts; nothing listens at these URLs. */
export const API_URL = 'http://api.world';
export const INVENTORY_URL = 'http://inventory.world';
export const GATEWAY_URL = 'http://gateway.world/gateway';
export const QUEUES_URL = 'http://sqs.world';

/** The handlers' environment as a deployment fills it in. */
export function environmentOf(
  service: ServiceDefinition,
  values: IntrinsicValues,
  configuration: Readonly<Record<string, string>>,
): Record<string, string> {
  return handlerEnvironment(service, values, {
    GATEWAY_URL,
    INVENTORY_URL,
    JWT_ISSUER: `${API_URL}/issuer`,
    JWT_AUDIENCE: 'ordersaga',
    JWKS_URL: `${API_URL}/issuer/jwks.json`,
    INVENTORY_CREDENTIAL: 'the-credential-of-the-world',
    WEBHOOK_SECRETS: 'the-webhook-secret-of-the-world',
    ...configuration,
  });
}

/**
 * Variables that libraries read from the process's environment. Logs and metrics are silent unless the
 * process was started with a level.
 */
export function libraryEnvironment({ provider }: ServiceDefinition) {
  return {
    ...sdkEnvironment(provider.region, {
      dynamodb: 'http://dynamodb.world',
      queues: QUEUES_URL,
      stepFunctions: 'http://states.world',
    }),
    // The SDK's own retries would wait in real time.
    AWS_MAX_ATTEMPTS: '1',
    POWERTOOLS_LOG_LEVEL: process.env['POWERTOOLS_LOG_LEVEL'] ?? 'SILENT',
    POWERTOOLS_METRICS_DISABLED: process.env['POWERTOOLS_METRICS_DISABLED'] ?? 'true',
  };
}
