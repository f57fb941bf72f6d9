import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FauxqsServer } from 'fauxqs';
import { readConfig } from '../../lib/platform/config.ts';
import { type Interceptor, passThrough } from '../../lib/platform/effects.ts';
import { createRuntime, installRuntime } from '../../lib/platform/lambda/runtime.ts';
import { openDataDirectory } from './data-directory.ts';
import { overrideEnvironment } from './environment.ts';
import { handlerEnvironment, sdkEnvironment } from './handler-environment.ts';
import { type LambdaRuntime, type OnInvocationEnd, unlessDead } from './lambda-runtime.ts';
import { Parts, type Progress } from './parts.ts';
import { assertPortsFree } from './ports.ts';
import { createQueues, createTables, intrinsicValues } from './resources.ts';
import { resumeOrders } from './resume-orders.ts';
import { seedProducts } from './seed.ts';
import { readServiceDefinition } from './service-definition.ts';
import {
  type Base,
  createLambdaRuntime,
  type Database,
  followClock,
  startApi,
  startCompanionPart,
  startDatabase,
  startLog,
  startPollers,
  startQueues,
  startSchedules,
  startStepFunctions,
  urlOf,
} from './stack-parts.ts';
import { chooseStore, type Store, type StoreChoice } from './store.ts';
import { TravelClock } from './travel-clock.ts';

/** Each of them may be 0, which takes any free port. */
export interface StackPorts {
  readonly api: number;
  readonly companion: number;
  readonly stepFunctions: number;
  readonly queues: number;
  readonly dynamodb: number;
}

export interface EmbeddedStackOptions {
  readonly ports: StackPorts;
  /** The address the HTTP servers listen on: this machine only, unless told otherwise. */
  readonly host?: string;
  /** Configuration (section 7 of the specification) that differs from the defaults. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: TravelClock;
  /** Sees every effect of every handler once the stack is up; `setInterceptor` replaces it. */
  readonly intercept?: Interceptor;
  readonly onProgress?: (step: Progress) => void;
  /** Told of every invocation of a function that has ended. */
  readonly onInvocationEnd?: OnInvocationEnd;
  /** The store that holds the tables; `auto` unless told otherwise. */
  readonly store?: StoreChoice;
  /**
   * Has tables in memory throttle the writes of each item, as AWS does with 1000 write units a
   * second; only with `store: 'memory'`. Without it nothing is throttled.
   */
  readonly writeUnitsPerItemPerSecond?: number;
  /** A folder that keeps tables, queues and charges for the next start; without it nothing is kept. */
  readonly dataDirectory?: string;
  /** Where the handlers' log goes; without it only the latest lines are kept, in memory. */
  readonly logFile?: string;
}

export interface EmbeddedStack {
  readonly apiUrl: string;
  readonly companionUrl: string;
  readonly endpoints: {
    readonly dynamodb: string;
    readonly queues: string;
    readonly stepFunctions: string;
  };
  readonly store: Store;
  readonly clock: TravelClock;
  readonly queues: FauxqsServer;
  /** By logical id in serverless.yml (`OrdersTable`). */
  readonly tableNames: Readonly<Record<string, string>>;
  readonly queueUrls: Readonly<Record<string, string>>;
  readonly orderSagaArn: string;
  /** What the handlers see. */
  readonly environment: Readonly<Record<string, string>>;
  mintToken(subject: string, scope?: string): Promise<string>;
  setInterceptor(intercept: Interceptor): void;
  /** Runs every scheduled function once, now; failures go to the log. */
  runSchedules(): Promise<void>;
  /** Hands the messages that are visible now to their functions; resolves with how many. */
  pollQueues(): Promise<number>;
  /** The latest lines of the handlers' log, oldest first. */
  logs(): readonly string[];
  /** Resolves if the stack cannot go on, with one sentence that says why; it is to be stopped then. */
  readonly broken: Promise<string>;
  stop(): Promise<void>;
}

/** What the deployment fills in; here only so that the rest can be checked before anything starts. */
const STAND_INS = {
  ORDERS_TABLE: '-',
  INVENTORY_TABLE: '-',
  IDEMPOTENCY_TABLE: '-',
  COMPENSATION_QUEUE_URL: 'http://localhost',
  ACKNOWLEDGEMENT_QUEUE_URL: 'http://localhost',
  SAGA_DEAD_LETTER_QUEUE_URL: 'http://localhost',
  COMPENSATION_DEAD_LETTER_QUEUE_URL: 'http://localhost',
  ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE_URL: 'http://localhost',
  ORDER_SAGA_ARN: '-',
  JWT_ISSUER: 'http://localhost',
  JWT_AUDIENCE: '-',
  JWKS_URL: 'http://localhost',
  GATEWAY_URL: 'http://localhost',
  INVENTORY_URL: 'http://localhost',
};

/** How long a jump in time waits for work that a timer set off, such as a call that is left hanging. */
const LONGEST_SETTLING_MS = 5000;
/** Between two steps of one piece of work nothing may run for a moment; so look more than once. */
const IDLE_LOOKS = 4;

/** How long after the service's time-out the simulator acknowledges what it acknowledges too late. */
const ACK_LATE_BY_MS = 5000;

let isRunning = false;

/**
 * Starts the whole service in this process, beside a JVM if DynamoDB Local runs. The handlers' AWS
 * clients find it by `process.env`, and `Date.now` follows its clock: hence one stack a process.
 * `stop` puts both back.
 * @throws ConfigurationError for a bad setting, StartupProblem for what this machine lacks.
 */
export async function startEmbeddedStack(options: EmbeddedStackOptions): Promise<EmbeddedStack> {
  if (isRunning) throw new Error('An embedded stack runs in this process already.');
  isRunning = true;
  const parts = new Parts(options.onProgress ?? (() => undefined));
  parts.onStop(() => {
    isRunning = false;
  });
  try {
    return await startParts(options, parts);
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

async function startParts(options: EmbeddedStackOptions, parts: Parts): Promise<EmbeddedStack> {
  const { ports, environment: overrides = {}, host = '127.0.0.1' } = options;
  const { store: choice = 'auto', dataDirectory, writeUnitsPerItemPerSecond } = options;
  if (writeUnitsPerItemPerSecond !== undefined && choice !== 'memory') {
    throw new Error(
      'Only tables in memory throttle: writeUnitsPerItemPerSecond needs store: memory',
    );
  }
  const secrets = { INVENTORY_CREDENTIAL: randomSecret(), WEBHOOK_SECRETS: randomSecret() };
  const settings = readConfig({ ...STAND_INS, ...secrets, ...overrides });
  const [webhookSecret = ''] = settings.WEBHOOK_SECRETS ?? [];
  const [store] = await Promise.all([
    chooseStore(choice, dataDirectory !== undefined, process.env),
    assertStackPortsFree(host, ports),
  ]);

  const clock = options.clock ?? new TravelClock();
  const directory = fileURLToPath(new URL('../..', import.meta.url));
  const data = dataDirectory === undefined ? undefined : openDataDirectory(dataDirectory);
  parts.onStop(() => data?.release());
  const base: Base = { parts, clock, host, directory, data };
  const log = startLog(base, options.logFile);

  // API Gateway's own responses depend on it, and they are part of the template.
  const templateVariables = { ALLOWED_ORIGINS: settings.ALLOWED_ORIGINS };
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience = 'ordersaga' } = overrides;
  const token = { audience, ...(issuer === undefined ? {} : { issuer }) };
  const [service, database, queues] = await Promise.all([
    parts.start('serverless.yml', () => readServiceDefinition(directory, templateVariables)),
    startDatabase(
      base,
      store,
      ports.dynamodb,
      writeUnitsPerItemPerSecond === undefined ? {} : { writeUnitsPerItemPerSecond },
    ),
    startQueues(base, ports.queues),
  ]);
  const queuesUrl = urlOf('127.0.0.1', queues.port);
  const queueUrls = createQueues(service, queues, queuesUrl);
  const values = intrinsicValues(service, queueUrls);
  const lambda = createLambdaRuntime(base, service, log, options.onInvocationEnd);
  clock.settle = () => settled(lambda);

  const [tableNames, api] = await Promise.all([
    parts.start('tables', () => createTables(service, database.client)),
    startApi(base, ports.api, service, lambda),
    parts.start('functions', () => lambda.preload()),
  ]);
  const apiUrl = urlOf(host, api.port);
  let whole: Record<string, string | undefined> = {};
  const companion = await startCompanionPart(base, ports.companion, {
    ...token,
    inventoryUrl: apiUrl,
    webhook: {
      url: `${apiUrl}/payment/webhook`,
      secret: webhookSecret,
      ackLateMs: settings.PAYMENT_ACK_TIMEOUT_SECONDS * 1000 + ACK_LATE_BY_MS,
    },
    stackEnvironment: () => whole,
    ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
  });
  const environment = handlerEnvironment(service, values, {
    GATEWAY_URL: `${companion.url}/gateway`,
    INVENTORY_URL: companion.inventoryProxyUrl,
    JWT_ISSUER: `${companion.url}/issuer`,
    JWT_AUDIENCE: token.audience,
    JWKS_URL: `${companion.url}/issuer/jwks.json`,
    ...secrets,
    PAYMENT_PAGE_URL: `http://localhost:${String(api.port)}/pay/{orderId}`,
    ...overrides,
  });
  const config = readConfig(environment);
  const deployed = { ...base, service, values, lambda, log };
  const stepFunctions = await startStepFunctions(deployed, ports.stepFunctions, config);
  followClock(base);

  const endpoints = {
    dynamodb: database.url,
    queues: queuesUrl,
    stepFunctions: urlOf(host, stepFunctions.port),
  };
  const { region } = service.provider;
  whole = { ...environment, ...sdkEnvironment(region, endpoints) };
  parts.onStop(overrideEnvironment(whole));
  let intercept = passThrough;
  const runtime = createRuntime(environment, {
    clock: lambda.clock,
    intercept: (effect, proceed) => unlessDead(() => intercept(effect, proceed)),
  });
  installRuntime(runtime);
  await parts.start('seed data', () => seedProducts(runtime));
  intercept = options.intercept ?? passThrough;

  const pollers = startPollers(deployed, endpoints.queues);
  const schedules = startSchedules(deployed, config.SCHEDULE_SECONDS);
  if (data !== undefined) {
    for (const error of await parts.start('kept orders', () => resumeOrders(runtime))) {
      log.append(JSON.stringify({ level: 'ERROR', message: `Not resumed: ${String(error)}` }));
    }
  }

  return {
    apiUrl,
    companionUrl: companion.url,
    endpoints,
    store,
    clock,
    queues,
    tableNames,
    queueUrls,
    orderSagaArn: config.ORDER_SAGA_ARN,
    environment,
    mintToken: (subject, scope) => companion.mintToken(subject, scope),
    setInterceptor: (replacement) => {
      intercept = replacement;
    },
    runSchedules: () => schedules.runAll(),
    pollQueues: async () => {
      const counts = await Promise.all(pollers.map((poller) => poller.pollOnce()));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    logs: () => log.lines(),
    broken: brokenBy(database),
    stop: () => parts.stop(),
  };
}

async function brokenBy({ ended = new Promise<never>(() => undefined) }: Database) {
  const words = await ended;
  const [last] = words.split('\n').slice(-1);
  const said = last === '' ? '' : ` (${String(last)})`;
  return `DynamoDB Local has ended while the stack ran${said}: everything is stopped.`;
}

function randomSecret(): string {
  return randomBytes(24).toString('base64url');
}

function assertStackPortsFree(host: string, ports: StackPorts): Promise<void> {
  return assertPortsFree(host, [
    { port: ports.api, part: 'the API', variable: 'API_PORT' },
    { port: ports.companion, part: 'the companion', variable: 'COMPANION_PORT' },
    { port: ports.stepFunctions, part: 'Step Functions', variable: 'STEP_FUNCTIONS_PORT' },
    { port: ports.queues, part: 'SQS', variable: 'QUEUES_PORT' },
    { port: ports.dynamodb, part: 'DynamoDB', variable: 'DYNAMODB_PORT' },
  ]);
}

/** What a timer set off is over when no invocation runs any more, except those that wait for time. */
async function settled(lambda: LambdaRuntime): Promise<void> {
  const giveUpAt = performance.now() + LONGEST_SETTLING_MS;
  let idleLooks = 0;
  while (idleLooks < IDLE_LOOKS && performance.now() < giveUpAt) {
    await sleep(1);
    idleLooks = lambda.isIdle() ? idleLooks + 1 : 0;
  }
}
