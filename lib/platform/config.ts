import * as z from 'zod';

const url = z.url({ protocol: /^https?$/ });
const name = z.string().min(1);
/** In digits: an empty value is a mistake, not a zero. */
const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum));

const oneSecret = z.string().min(16, 'each secret must have at least 16 characters');
/** Comma-separated, so that a new secret can be accepted before the old one goes. */
const secrets = z
  .string()
  .transform((list) => list.split(',').map((secret) => secret.trim()))
  .pipe(z.tuple([oneSecret], oneSecret));

/** At least one. */
export type Secrets = z.infer<typeof secrets>;

/** Everything that can be configured; section 7 of the specification, and what the deployment fills in. */
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

    JWT_ISSUER: url,
    JWT_AUDIENCE: name,
    JWKS_URL: url,
    /** Inventory takes any of them; the Order Service sends the first. */
    INVENTORY_CREDENTIAL: secrets.optional(),
    /** Any of them may have signed a webhook. */
    WEBHOOK_SECRETS: secrets.optional(),
    /** Names of the SSM parameters that hold the two where they are not given themselves. */
    INVENTORY_CREDENTIAL_PARAMETER: name.optional(),
    WEBHOOK_SECRETS_PARAMETER: name.optional(),
    GATEWAY_URL: url,
    INVENTORY_URL: url,
    PAYMENT_PAGE_URL: z
      .string()
      .includes('{orderId}')
      .default('http://localhost:3000/pay/{orderId}'),

    RESERVATION_TTL_SECONDS: wholeNumber(1, 86_400).default(900),
    PAYMENT_ACK_TIMEOUT_SECONDS: wholeNumber(1, 86_400).default(180),
    // A function runs for 20 s at most and may call each of them, or one of them twice.
    INVENTORY_TIMEOUT_MS: wholeNumber(50, 5000).default(2000),
    INVENTORY_OUTAGE_BUDGET_SECONDS: wholeNumber(0, 86_400).default(120),
    INVENTORY_CIRCUIT_FAILURES: wholeNumber(1, 1000).default(5),
    INVENTORY_CIRCUIT_PAUSE_SECONDS: wholeNumber(1, 3600).default(10),
    GATEWAY_TIMEOUT_MS: wholeNumber(50, 6000).default(5000),
    RETRY_MAX_ATTEMPTS: wholeNumber(1, 20).default(5),
    RETRY_BASE_SECONDS: wholeNumber(1, 30).default(1),
    // The queues' own `maxReceiveCount`; SQS takes no more than 1000.
    QUEUE_MAX_RECEIVES: wholeNumber(1, 1000).default(8),
    DUPLICATE_WINDOW_SECONDS: wholeNumber(0, 86_400).default(600),
    DISPATCH_AFTER_SECONDS: wholeNumber(1, 3600).default(30),
    SCHEDULE_SECONDS: wholeNumber(1, 3600).default(60),
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
 * @throws ConfigurationError that names every missing or bad variable and what it must be.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  // Made on first use: it takes as long as loading the library.
  configSchema ??= makeConfigSchema();
  const parsed = configSchema.safeParse(environment);
  const missing = SECRET_NAMES.filter(
    (secret) =>
      environment[secret] === undefined && environment[`${secret}_PARAMETER`] === undefined,
  ).map((secret) => `${secret} is not set, and neither is ${secret}_PARAMETER`);
  if (parsed.success && missing.length === 0) return parsed.data;
  const problems = (parsed.error?.issues ?? []).map((issue) => {
    const variable = String(issue.path[0]);
    const value = environment[variable];
    return value === undefined
      ? `${variable} is not set`
      : `${variable} is ${JSON.stringify(redact(variable, value))}: ${issue.message}`;
  });
  throw new ConfigurationError(`Bad configuration. ${[...problems, ...missing].join('; ')}.`);
}

/** @throws ConfigurationError that says what is wrong, but not with which value. */
export function parseSecrets(list: string): Secrets {
  const parsed = secrets.safeParse(list);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(parsed.error.issues.map(({ message }) => message).join('; '));
}

function redact(variable: string, value: string): string {
  return SECRET_NAMES.some((secret) => secret === variable) ? '(hidden)' : value;
}

/**
 * The trace header of the invocation that runs now, which Lambda writes into the environment for each
 * one; undefined outside Lambda.
 */
export function lambdaTraceHeader(): string | undefined {
  return process.env['_X_AMZN_TRACE_ID'];
}
