import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { StackPorts } from './stack/embedded-stack.ts';
import { StartupProblem } from './stack/startup-problem.ts';
import { STORE_CHOICES, type StoreChoice } from './stack/store.ts';

const port = (preset: number) => z.coerce.number().int().min(1).max(65_535).default(preset);

const settingsSchema = z.object({
  LISTEN_ADDRESS: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
  API_PORT: port(3000),
  COMPANION_PORT: port(3100),
  STEP_FUNCTIONS_PORT: port(8083),
  QUEUES_PORT: port(9324),
  DYNAMODB_PORT: port(8000),
  STORE: z.enum(STORE_CHOICES).default('auto'),
});

/** Configuration of the service itself that may be set for a local start. */
const CONFIGURATION = [
  'RESERVATION_TTL_SECONDS',
  'PAYMENT_ACK_TIMEOUT_SECONDS',
  'INVENTORY_TIMEOUT_MS',
  'INVENTORY_OUTAGE_BUDGET_SECONDS',
  'INVENTORY_CIRCUIT_FAILURES',
  'INVENTORY_CIRCUIT_PAUSE_SECONDS',
  'GATEWAY_TIMEOUT_MS',
  'RETRY_MAX_ATTEMPTS',
  'RETRY_BASE_SECONDS',
  'QUEUE_MAX_RECEIVES',
  'DUPLICATE_WINDOW_SECONDS',
  'DISPATCH_AFTER_SECONDS',
  'SCHEDULE_SECONDS',
  'GATEWAY_URL',
  'INVENTORY_URL',
  'PAYMENT_PAGE_URL',
  'JWT_ISSUER',
  'JWT_AUDIENCE',
  'JWKS_URL',
];

export class BadSettingError extends StartupProblem {
  override readonly name = 'BadSettingError';
}

export interface StartSettings {
  readonly host: string;
  readonly ports: StackPorts;
  readonly environment: Readonly<Record<string, string>>;
  readonly store: StoreChoice;
  /** Where tables, queues and charges are kept for the next start. */
  readonly dataDirectory?: string;
}

/**
 * What the command line and the environment say about a local start; everything has a default.
 * @throws BadSettingError that names the argument or the variable. The service's own configuration
 *   is checked by the service.
 */
export function readStartSettings(
  environment: Readonly<Record<string, string | undefined>>,
  commandLine: readonly string[] = [],
): StartSettings {
  const dataDirectory = readDataDirectory(commandLine);
  const parsed = settingsSchema.safeParse(environment);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => {
      const variable = String(path[0]);
      return `${variable} is ${JSON.stringify(environment[variable])}: ${message}`;
    });
    throw new BadSettingError(`Bad setting. ${problems.join('; ')}.`);
  }
  const settings = parsed.data;
  return {
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
    host: settings.LISTEN_ADDRESS,
    store: settings.STORE,
    ports: {
      api: settings.API_PORT,
      companion: settings.COMPANION_PORT,
      stepFunctions: settings.STEP_FUNCTIONS_PORT,
      queues: settings.QUEUES_PORT,
      dynamodb: settings.DYNAMODB_PORT,
    },
    environment: Object.fromEntries(
      CONFIGURATION.flatMap((name) => {
        const value = environment[name];
        return value === undefined ? [] : [[name, value] as const];
      }),
    ),
  };
}

function readDataDirectory(commandLine: readonly string[]): string | undefined {
  try {
    const { data } = parseArgs({
      args: [...commandLine],
      options: { data: { type: 'string' } },
    }).values;
    if (data === '') throw new Error("Option '--data <value>' argument missing");
    return data;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BadSettingError(
      `${why}.\nUsage: npm start -- [--data DIR]   (DIR keeps orders, stock, queues and charges for the next start)`,
      { cause },
    );
  }
}
