import * as z from 'zod';
import { environment } from './environment.ts';
import {
  problemWith,
  rangeOf,
  SETTINGS,
  type Secrets,
  type Setting,
  type ValueOf,
  valueOf,
} from './settings.ts';

const url = z.url({ protocol: /^https?$/ });
const name = z.string().min(1);

type Settings = typeof SETTINGS;

/** A secret may be absent if the name of its SSM parameter is given. */
type SchemaOf<Kind extends Setting> = Kind extends { readonly kind: 'secrets' }
  ? z.ZodOptional<z.ZodType<Secrets>>
  : z.ZodType<ValueOf<Kind>>;

/** Makes the schema of the functions' configuration: names that the template fills in, and the settings. */
const makeConfigSchema = () =>
  z.object({
    ORDERS_TABLE: name,
    INVENTORY_TABLE: name,
    IDEMPOTENCY_TABLE: name,
    COMPENSATION_QUEUE_URL: url,
    ACKNOWLEDGEMENT_QUEUE_URL: url,
    SAGA_DEAD_LETTER_QUEUE_URL: url,
    COMPENSATION_DEAD_LETTER_QUEUE_URL: url,
    ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE_URL: url,
    ORDER_SAGA_ARN: name,
    /** Names of the SSM parameters of secrets that are not given themselves. */
    INVENTORY_CREDENTIAL_PARAMETER: name.optional(),
    WEBHOOK_SECRETS_PARAMETER: name.optional(),
    ...(Object.fromEntries(
      Object.entries(SETTINGS).map(([variable, setting]) => [variable, schemaOf(setting)]),
    ) as unknown as { readonly [Name in keyof Settings]: SchemaOf<Settings[Name]> }),
  });

let configSchema: ReturnType<typeof makeConfigSchema> | undefined;

export type Config = z.infer<ReturnType<typeof makeConfigSchema>>;

const SECRET_NAMES = ['INVENTORY_CREDENTIAL', 'WEBHOOK_SECRETS'] as const;

export type SecretName = (typeof SECRET_NAMES)[number];

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/**
 * Parses the whole configuration, with defaults.
 * @throws ConfigurationError that names every missing or bad variable and its range.
 */
export function readConfig(
  variables: Readonly<Record<string, string | undefined>> = environment,
): Config {
  // Made on first use: it takes as long as loading the library.
  configSchema ??= makeConfigSchema();
  const parsed = configSchema.safeParse(variables);
  const missing = SECRET_NAMES.filter(
    (secret) => variables[secret] === undefined && variables[`${secret}_PARAMETER`] === undefined,
  ).map((secret) => `${secret} is not set, and neither is ${secret}_PARAMETER`);
  if (parsed.success && missing.length === 0) return parsed.data;
  const problems = (parsed.error?.issues ?? []).map(({ path, message }) =>
    problemOf(String(path[0]), variables[String(path[0])], message),
  );
  throw new ConfigurationError(`Bad configuration. ${[...problems, ...missing].join('; ')}.`);
}

/** @throws ConfigurationError that says the range, but not the value. */
export function parseSecrets(list: string): Secrets {
  const setting = SETTINGS.WEBHOOK_SECRETS;
  const secrets = valueOf(setting, list);
  if (secrets !== undefined) return secrets;
  throw new ConfigurationError(`must be ${rangeOf(setting)}`);
}

function schemaOf(setting: Setting): z.ZodType {
  const checked = z.string().transform((text, context) => {
    const value = valueOf(setting, text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: rangeOf(setting) });
    return z.NEVER;
  });
  if (setting.kind === 'secrets') return checked.optional();
  return setting.default === undefined ? checked : checked.default(setting.default);
}

function problemOf(variable: string, value: string | undefined, message: string): string {
  if (value === undefined) return `${variable} is not set`;
  const setting = (SETTINGS as Readonly<Record<string, Setting>>)[variable];
  return setting === undefined
    ? `${variable} is ${JSON.stringify(value)}: ${message}`
    : problemWith(variable, setting, value);
}
