import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import type { Clock } from '../../lib/platform/clock.ts';
import { reservationWaitSeconds } from '../../statemachines/constants.ts';
import type { JsonServer } from '../aws/json-server.ts';
import { type Companion, type CompanionOptions, startCompanion } from '../companion/server.ts';
import { MemoryDynamoDb, type MemoryDynamoDbOptions } from '../dynamodb/memory-dynamodb.ts';
import { startMemoryDynamoDbServer } from '../dynamodb/server.ts';
import { type StepFunctionsServer, startStepFunctionsServer } from '../step-functions/server.ts';
import { startApiGateway } from './api-gateway.ts';
import type { DataDirectory } from './data-directory.ts';
import { startDynamoDbLocal } from './dynamodb-local.ts';
import { startFunctionUrl } from './function-url.ts';
import { DUMMY_CREDENTIALS } from './handler-environment.ts';
import type { HttpServer } from './http-server.ts';
import { type IntrinsicValues, resolveIntrinsics } from './intrinsics.ts';
import { LambdaRuntime, type LambdaRuntimeOptions } from './lambda-runtime.ts';
import { type LogRouter, routeLogs } from './log-router.ts';
import { listeningOnLoopback } from './loopback-only.ts';
import type { Parts } from './parts.ts';
import { onAnyFreePort } from './ports.ts';
import { QueuePoller } from './queue-poller.ts';
import { ACCOUNT_ID, queueUrlOf } from './resources.ts';
import { Schedules } from './schedules.ts';
import { eventsOf, inventoryFunction, type ServiceDefinition } from './service-definition.ts';
import { renderStateMachine } from './state-machine-definition.ts';
import type { Store } from './store.ts';
import type { TravelClock } from './travel-clock.ts';

/** Address of the servers that only this process calls. */
const LOOPBACK = '127.0.0.1';
const STATE_MACHINE_FILE = 'statemachines/order-saga.asl.json';

/** Input of the functions here. Each of them starts one part and registers how to stop it. */
export interface Base {
  readonly parts: Parts;
  readonly clock: TravelClock;
  /** Address that the HTTP servers listen on. */
  readonly host: string;
  /** The project's folder. */
  readonly directory: string;
  /** Keeps the data that is to survive this process. Without it, nothing survives. */
  readonly data: DataDirectory | undefined;
}

export interface Deployed extends Base {
  readonly service: ServiceDefinition;
  readonly values: IntrinsicValues;
  readonly lambda: LambdaRuntime;
  readonly log: LogRouter;
}

/**
 * Makes `Date.now` follow the stack's clock, because the queues' server reads the time from it. The state
 * machines' interpreter replaces `Date.now` too, for itself only. So this must run later to hold for all.
 */
export function followClock({ parts, clock }: Base): void {
  const systemNow = Date.now;
  Date.now = () => clock.now();
  parts.onStop(() => {
    Date.now = systemNow;
    clock.stop();
  });
}

export function startLog({ parts }: Base, file: string | undefined): LogRouter {
  const log = routeLogs(file);
  parts.onStop(() => log.stop());
  return log;
}

export interface Database {
  readonly url: string;
  readonly client: DynamoDBClient;
  /** The server, if it is in this process. */
  readonly server?: JsonServer;
  /** Resolves with its last output if it ends by itself. */
  readonly ended?: Promise<string>;
}

/** @param throughput limits the writes to the tables in memory. DynamoDB Local throttles nothing. */
export function startDatabase(
  base: Base,
  store: Store,
  port: number,
  throughput: Pick<MemoryDynamoDbOptions, 'writeUnitsPerItemPerSecond'>,
): Promise<Database> {
  return store.kind === 'memory'
    ? startMemoryTables(base, port, throughput)
    : startDynamoDbLocalPart(base, store.java, port);
}

function startMemoryTables(
  { parts, clock }: Base,
  port: number,
  throughput: Pick<MemoryDynamoDbOptions, 'writeUnitsPerItemPerSecond'>,
): Promise<Database> {
  return parts.start('DynamoDB', async () => {
    const store = new MemoryDynamoDb({ ...throughput, now: () => clock.now() });
    const server = await startMemoryDynamoDbServer({ store, host: LOOPBACK, port });
    const url = urlOf(LOOPBACK, server.port);
    const client = databaseClient(url);
    parts.onStop(async () => {
      client.destroy();
      await server.stop();
    });
    return { url, client, server };
  });
}

function startDynamoDbLocalPart(
  { parts, data }: Base,
  java: string,
  requestedPort: number,
): Promise<Database> {
  const startAt = async (port: number): Promise<Database> => {
    const url = urlOf(LOOPBACK, port);
    const client = databaseClient(url);
    const database = await startDynamoDbLocal(java, port, client, data?.tables);
    parts.onStop(async () => {
      client.destroy();
      await database.stop();
    });
    return { url, client, ended: database.ended };
  };
  return parts.start('DynamoDB Local', () =>
    requestedPort === 0 ? onAnyFreePort(startAt) : startAt(requestedPort),
  );
}

function databaseClient(url: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint: url,
    region: 'local',
    credentials: DUMMY_CREDENTIALS,
    maxAttempts: 1,
  });
}

export function startQueues({ parts, data }: Base, port: number): Promise<FauxqsServer> {
  return parts.start('SQS', async () => {
    const kept = data === undefined ? {} : { dataDir: data.queues };
    const server = await listeningOnLoopback(() => startFauxqs({ port, logger: false, ...kept }));
    parts.onStop(() => server.stop());
    return server;
  });
}

export function startCompanionPart(
  { parts, host, clock, data }: Base,
  port: number,
  options: Omit<CompanionOptions, 'host' | 'port' | 'clock' | 'chargesFile'>,
): Promise<Companion> {
  return parts.start('companion', async () => {
    const kept = data === undefined ? {} : { chargesFile: data.charges };
    const companion = await startCompanion({ ...options, ...kept, host, port, clock });
    parts.onStop(() => companion.stop());
    return companion;
  });
}

export function createLambdaRuntime(
  { clock, directory }: Pick<Base, 'directory'> & { readonly clock: Clock },
  { functions, provider }: ServiceDefinition,
  log: Pick<LogRouter, 'append'>,
  options: Pick<LambdaRuntimeOptions, 'concurrency' | 'onEnd'> = {},
): LambdaRuntime {
  return new LambdaRuntime({
    ...options,
    clock,
    directory,
    region: provider.region,
    accountId: ACCOUNT_ID,
    functions: Object.entries(functions).map(([key, fn]) => ({
      key,
      name: fn.name,
      handler: fn.handler,
      timeoutSeconds: fn.timeout ?? provider.timeout,
      memoryMegabytes: fn.memorySize ?? provider.memorySize,
      reservedConcurrency: fn.reservedConcurrency,
    })),
    onFailure: (fn, requestId, error) => {
      // No level, as on AWS: ordinary branches of the saga are among them.
      log.append(
        JSON.stringify({
          message: 'Invoke Error',
          function_name: fn.name,
          function_request_id: requestId,
          errorType: error.name,
          errorMessage: error.message,
          stack: error.stack,
        }),
      );
    },
  });
}

export function startApi(
  { parts, host }: Base,
  port: number,
  service: ServiceDefinition,
  lambda: LambdaRuntime,
): Promise<HttpServer> {
  return parts.start('API', async () => {
    const invoke = (functionKey: string, event: unknown) => lambda.invoke(functionKey, event);
    const api = await startApiGateway({ host, port, service, invoke });
    parts.onStop(() => api.stop());
    return api;
  });
}

/** Serves the Inventory Service's function URL, on a port of its own. */
export function startInventoryUrl(
  { parts }: Base,
  service: ServiceDefinition,
  lambda: LambdaRuntime,
): Promise<HttpServer> {
  return parts.start('function URL', async () => {
    const functionKey = inventoryFunction(service);
    const server = await startFunctionUrl({ host: LOOPBACK, port: 0 }, (event) =>
      lambda.invoke(functionKey, event),
    );
    parts.onStop(() => server.stop());
    return server;
  });
}

/** @param parameters fill in the state machine's time-outs and retries. */
export function startStepFunctions(
  { parts, host, clock, directory, service, values, lambda }: Deployed,
  port: number,
  parameters: Readonly<Record<string, unknown>>,
): Promise<StepFunctionsServer> {
  return parts.start('Step Functions', async () => {
    const server = await startStepFunctionsServer({
      host,
      port,
      clock,
      region: service.provider.region,
      accountId: ACCOUNT_ID,
      invoke: (functionName, payload) => lambda.invoke(functionName, payload),
      stateMachines: [await orderSaga({ directory, service, values }, parameters)],
    });
    parts.onStop(() => server.stop());
    return server;
  });
}

/**
 * Definition of the saga's state machine, its placeholders and references filled in.
 * @param table the machine with its placeholders; by default the file that is deployed.
 */
export async function orderSaga(
  { directory, service, values }: Pick<Deployed, 'directory' | 'service' | 'values'>,
  parameters: Readonly<Record<string, unknown>>,
  table?: Readonly<Record<string, unknown>>,
): Promise<{ readonly name: string; readonly definition: object }> {
  const machine: unknown =
    table ?? JSON.parse(await readFile(join(directory, STATE_MACHINE_FILE), 'utf8'));
  const own = { ...service.params['default'], ...service.params['local'], ...parameters };
  const ttlSeconds = Number(own['RESERVATION_TTL_SECONDS']);
  const all = { ...own, RESERVATION_WAIT_SECONDS: reservationWaitSeconds(ttlSeconds) };
  return {
    name: service.stepFunctions.stateMachines.orderSaga.name,
    definition: renderStateMachine(machine, all, values),
  };
}

export function startPollers(
  { parts, service, values, lambda, log }: Deployed,
  endpoint: string,
): readonly QueuePoller[] {
  const { region } = service.provider;
  const client = new SQSClient({ endpoint, region, credentials: DUMMY_CREDENTIALS });
  parts.onStop(() => {
    client.destroy();
  });
  return eventsOf(service, 'sqs').map(({ key, event }) => {
    const queueArn = String(resolveIntrinsics(event.arn, values));
    const poller = new QueuePoller({
      client,
      region,
      queueArn,
      queueUrl: queueUrlOf(queueArn, endpoint),
      batchSize: event.batchSize,
      reportsFailures: event.functionResponseType !== undefined,
      invoke: (records) => lambda.invoke(key, records),
      onError: (error) => {
        log.append(JSON.stringify({ level: 'ERROR', message: `${key}: ${String(error)}` }));
      },
    });
    poller.start();
    parts.onStop(() => poller.stop());
    return poller;
  });
}

export function startSchedules(
  { parts, clock, service, lambda }: Deployed,
  intervalSeconds: number,
): Schedules {
  const schedules = new Schedules({
    clock,
    intervalMs: intervalSeconds * 1000,
    functionKeys: eventsOf(service, 'schedule').map(({ key }) => key),
    invoke: (key, event) => lambda.invoke(key, event),
  });
  schedules.start();
  parts.onStop(() => schedules.stop());
  return schedules;
}

/** URL at which this machine reaches a server that listens on `host`. */
export function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? LOOPBACK : host;
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${String(port)}`;
}
