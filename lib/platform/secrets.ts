import { ConfigurationError, parseSecrets, type SecretName } from './config.ts';
import { InfrastructureUnavailable } from './errors.ts';
import { loggerFor } from './lambda/logging.ts';
import type { Runtime } from './lambda/runtime.ts';
import type { Secrets } from './settings.ts';

/** A container relies on what it has read for so long, and asks again then. */
const GOOD_FOR_MS = 60_000;
/** After a read that failed the last value stands for so long, then the next call tries again. */
const TRY_AGAIN_AFTER_MS = 5000;

/**
 * Makes the reader of one secret: of the configuration where it holds the value itself, otherwise of
 * SSM Parameter Store, at the first call and then once a minute. What was read once stands until it
 * could be read again, so that an outage of SSM harms nobody who has it.
 * @returns every value that is good now, the one to use first; docs/secrets.md says how to replace it.
 *   It rejects with InfrastructureUnavailable, whose cause names the parameter, where there is none yet.
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
      // Loaded here, once a process, and not by functions that never get as far.
      const { readParameter } = await import('./aws/read-parameter.ts');
      const values = parseSecrets(await readParameter(aws, parameter));
      known = { values, untilMs: askedAtMs + GOOD_FOR_MS };
      return values;
    } catch (cause) {
      const error = unreadable(secret, parameter, cause);
      if (known === undefined) throw error;
      known = { ...known, untilMs: clock.now() + TRY_AGAIN_AFTER_MS };
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
    retryAfterSeconds: TRY_AGAIN_AFTER_MS / 1000,
    cause: new ConfigurationError(
      `The SSM parameter ${parameter} (${secret}_PARAMETER) cannot be read: ${why} ` +
        `If there is none yet: aws ssm put-parameter --type SecureString --name ${parameter} --value <secret>`,
      { cause },
    ),
  });
}
