import { ConfigurationError, parseSecrets, type SecretName } from './config.ts';
import { InfrastructureUnavailable } from './errors.ts';
import { loggerFor } from './lambda/logging.ts';
import type { Runtime } from './lambda/runtime.ts';
import type { Secrets } from './settings.ts';

/** Time for which a container relies on a value. */
const CACHE_TTL_MS = 60_000;
/** Time for which the last value stands after a failed read. */
const RETRY_AFTER_MS = 5000;

/**
 * Makes the reader of one secret. If the configuration does not hold the value itself, it comes from SSM
 * Parameter Store, at the first call and then once a minute. A value stands until the next successful
 * read, so that an outage of SSM harms no container that has one.
 * @returns a function that resolves to every value valid now, the one to use first (docs/secrets.md
 *   explains the rotation). It rejects with InfrastructureUnavailable if there is no value yet; the
 *   cause names the parameter.
 */
export function secretReader(
  { config, clock, aws }: Pick<Runtime, 'config' | 'clock' | 'aws'>,
  secret: SecretName,
): () => Promise<Secrets> {
  const configured = config[secret];
  if (configured !== undefined) return () => Promise.resolve(configured);
  const parameter = config[`${secret}_PARAMETER`] ?? '';
  let known: { readonly values: Secrets; readonly untilMs: number } | undefined;
  let reading: Promise<Secrets> | undefined;

  async function readAgain(): Promise<Secrets> {
    const askedAtMs = clock.now();
    try {
      // Loaded once per process, on first use: most functions need no secret.
      const { readParameter } = await import('./aws/read-parameter.ts');
      const values = parseSecrets(await readParameter(aws, parameter));
      known = { values, untilMs: askedAtMs + CACHE_TTL_MS };
      return values;
    } catch (cause) {
      const error = unreadable(secret, parameter, cause);
      if (known === undefined) throw error;
      known = { ...known, untilMs: clock.now() + RETRY_AFTER_MS };
      loggerFor({ secret }).warn('A secret could not be read; its last value stands', { error });
      return known.values;
    }
  }

  return () => {
    if (known !== undefined && clock.now() < known.untilMs) return Promise.resolve(known.values);
    reading ??= readAgain().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}

function unreadable(secret: SecretName, parameter: string, cause: unknown) {
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new InfrastructureUnavailable('A secret of this service cannot be read now; try again.', {
    retryAfterSeconds: RETRY_AFTER_MS / 1000,
    cause: new ConfigurationError(
      `The SSM parameter ${parameter} (${secret}_PARAMETER) cannot be read: ${why} ` +
        `If there is none yet: aws ssm put-parameter --type SecureString --name ${parameter} --value <secret>`,
      { cause },
    ),
  });
}
