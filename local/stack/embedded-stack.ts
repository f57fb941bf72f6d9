import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FauxqsServer } from 'fauxqs';
import { deadlinesOf } from '../../lib/orders/recovery/deadlines.ts';
import { readConfig } from '../../lib/platform/config.ts';
import { type Interceptor, passThrough } from '../../lib/platform/effects.ts';
import { createRuntime, installRuntime } from '../../lib/platform/lambda/runtime.ts';
import { LocalRequests } from '../aws/local-requests.ts';
import { openDataDirectory } from './data-directory.ts';
import { overrideEnvironment } from './environment.ts';
import { handlerEnvironment, sdkEnvironment } from './handler-environment.ts';
import {
  type Admission,
  type LambdaRuntime,
  type OnInvocationEnd,
  unlessDead,
} from './lambda-runtime.ts';
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
  startInventoryUrl,
  startLog,
  startPollers,
  startQueues,
  startSchedules,
  startStepFunctions,
  urlOf,
} from './stack-parts.ts';
import { chooseStore, type Store, type StoreChoice } from './store.ts';
import { TravelClock } from './travel-clock.ts';

/** Ports of the HTTP servers. 0 takes any free port. */
export interface StackPorts {
  readonly api: number;
  readonly companion: number;
  readonly stepFunctions: number;
  readonly queues: number;
  readonly dynamodb: number;
}

export interface EmbeddedStackOptions {
  readonly ports: StackPorts;
  /** Address that the HTTP servers listen on; by default only this machine reaches it. */
  readonly host?: string;
  /** Settings (section 7 of the specification) that differ from the defaults. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: TravelClock;
  /** Intercepts every effect of every handler once the stack is up. `setInterceptor` replaces it. */
  readonly intercept?: Interceptor;
  readonly onProgress?: (step: Progress) => void;
  /** Called after every invocation of a function. */
  readonly onInvocationEnd?: OnInvocationEnd;
  /** Concurrent invocations of all functions together. Default: no limit. */
  readonly concurrency?: number | undefined;
  /** Settings of the template, such as reserved concurrency; by default those of the stage `local`. */
  readonly templateVariables?: Readonly<Record<string, string>>;
  /** Store of the tables; by default `auto`. */
  readonly store?: StoreChoice;
  /**
   * Throttles the writes of each item, as AWS does at 1000 write units a second. Only with `store: 'memory'`. By
   * default, nothing is throttled.
   */
  readonly writeUnitsPerItemPerSecond?: number;
  /** Folder that keeps tables, queues and charges for the next start. By default, nothing is kept. */
  readonly dataDirectory?: string;
  /** File of the handlers' log. By default, only the latest lines are kept, in memory. */
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
  /** Environment of the handlers. */
  readonly environment: Readonly<Record<string, string>>;
  mintToken(subject: string, scope?: string): Promise<string>;
  setInterceptor(intercept: Interceptor): void;
  /** Decides on each invocation of a function before it begins. */
  setAdmission(admission: Admission): void;
  /** Runs every scheduled function once, now. Failures go to the log. */
  runSchedules(): Promise<void>;
  /** Delivers the visible messages to their functions. @returns the number of messages. */
  pollQueues(): Promise<number>;
  /** The latest lines of the handlers' log, oldest first. */
  logs(): readonly string[];
  /** Resolves if the stack cannot go on, with one sentence that says why. The caller then stops it. */
  readonly broken: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Placeholders for values that only the deployment knows, so that the other settings can be checked before the
 * start.
 */
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

/**
 * Limit of the wait for work that a timer set off during a jump in time. A hanging call would otherwise never end
 * it.
 */
const SETTLE_TIMEOUT_MS = 5000;
/** Consecutive idle checks that prove rest: between two steps of one piece of work, nothing runs for a moment. */
const IDLE_CHECKS = 4;

/** Delay after the service's time-out at which the simulator sends a late acknowledgement. */
const LATE_ACK_DELAY_MS = 5000;

let isRunning = false;

/**
 * Starts the whole service in this process, with a JVM beside it if DynamoDB Local runs. The handlers' AWS
 * clients find the stack by `process.env`, and `Date.now` follows its clock. So a process can run only one stack.
 * `stop` restores both.
 * @throws ConfigurationError for a bad setting, StartupProblem if this machine lacks something.
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
  // Refuses settings that do not fit together.
  deadlinesOf(settings);
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

  // The template needs this variable for API Gateway's own responses.
  const templateVariables = {
    ...options.templateVariables,
    ALLOWED_ORIGINS: settings.ALLOWED_ORIGINS,
  };
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
  const lambda = createLambdaRuntime(base, service, log, {
    concurrency: options.concurrency,
    onEnd: options.onInvocationEnd,
  });
  clock.settle = () => settled(lambda);

  const [tableNames, api, inventory] = await Promise.all([
    parts.start('tables', () => createTables(service, database.client)),
    startApi(base, ports.api, service, lambda),
    startInventoryUrl(base, service, lambda),
    parts.start('functions', () => lambda.preload()),
  ]);
  const apiUrl = urlOf(host, api.port);
  let whole: Record<string, string | undefined> = {};
  const companion = await startCompanionPart(base, ports.companion, {
    ...token,
    apiUrl,
    inventory: { url: urlOf('127.0.0.1', inventory.port) },
    webhook: {
      url: `${apiUrl}/payment/webhook`,
      secret: webhookSecret,
      ackLateMs: settings.PAYMENT_ACK_TIMEOUT_SECONDS * 1000 + LATE_ACK_DELAY_MS,
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
    requestHandler: new LocalRequests([stepFunctions, database.server ?? []].flat()),
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
    setAdmission: (admission) => {
      lambda.setAdmission(admission);
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

/** Waits until no invocation runs, except those that wait for the clock. The work of a timer is then done. */
async function settled(lambda: LambdaRuntime): Promise<void> {
  const giveUpAt = performance.now() + SETTLE_TIMEOUT_MS;
  let idleLooks = 0;
  while (idleLooks < IDLE_CHECKS && performance.now() < giveUpAt) {
    await sleep(1);
    idleLooks = lambda.isIdle() ? idleLooks + 1 : 0;
  }
}
