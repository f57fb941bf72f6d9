import type { NewProduct } from '../../lib/inventory/create-product.ts';
import type { HttpResponse } from '../../lib/platform/http/http-client.ts';
import { installRuntime, type Runtime } from '../../lib/platform/lambda/runtime.ts';
import type { WriteListener } from '../../local/dynamodb/memory-dynamodb.ts';
import type { Admission } from '../../local/stack/lambda-runtime.ts';
import { seedProducts } from '../../local/stack/seed.ts';
import {
  readServiceDefinition,
  type ServiceDefinition,
} from '../../local/stack/service-definition.ts';
import type { ApiRequest } from './api.ts';
import type { Invocation, RecordedEffect, WorldInterceptor } from './effect-log.ts';
import { Foundation } from './foundation.ts';
import { DIRECTORY } from './functions.ts';
import { Issuer } from './issuer.ts';
import type { Delivery } from './memory-sqs.ts';
import { createParts, createRuntime, type Parts } from './parts.ts';
import { consumeQueues } from './queue-consumers.ts';
import { startSchedules } from './schedules.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { Time } from './time.ts';
import { unrestOfParts, unrestOfStored } from './unrest.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface WorldOptions {
  /** Determines every id and every random number. */
  readonly seed: number;
  /** Settings (section 7 of the specification) that differ from the defaults. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Functions that run at the same time, others are throttled; without it, there is no limit. */
  readonly concurrency?: number | undefined;
  /** Defaults to the seed products of a local start. */
  readonly products?: readonly NewProduct[];
  /** Sees every effect of every handler once the world exists; `setInterceptor` replaces it. */
  readonly intercept?: WorldInterceptor;
  /** Duplicates, delays or reorders messages; by default each comes once, at once. */
  readonly delivery?: Delivery;
  /** Receives every write to the tables as it is carried out. */
  readonly onWrite?: WriteListener;
}

/** A call of the API; if a user is named, with that user's token. */
export interface WorldCall extends ApiRequest {
  readonly user?: string;
  readonly scope?: string;
}

export interface World {
  readonly parts: Parts;
  /** Runtime for operators' tools: their calls are not recorded as effects. */
  readonly runtime: Runtime;
  readonly clock: VirtualClock;
  /** Key in serverless.yml of the function in whose async context this is called. */
  caller(): string | undefined;
  /** The invocation whose request the tables, queues or executions carry out at this moment, if one is. */
  requester(): Invocation | undefined;
  /** Effects of all handlers so far, in the order of the requests. */
  readonly effects: readonly RecordedEffect[];
  setInterceptor(intercept: WorldInterceptor): void;
  /** Decides on each invocation of a function before it begins. */
  setAdmission(admission: Admission): void;
  /** Issues a token that is valid for one day of the world's time. */
  issueToken(user: string, scope?: string): string;
  /** Resolves with the function's response; a call that waits needs time to pass. */
  call(request: WorldCall): Promise<HttpResponse>;
  /** Invokes a function in addition to its normal triggers. */
  invoke(functionKey: string, event: unknown): Promise<unknown>;
  /** Aborts the execution of this name, or all that run. A step that runs goes on. */
  abortExecutions(name?: string): void;
  /** Runs until all work has ended or waits for time, without letting time pass. */
  runUntilIdle(): Promise<void>;
  /** Advances the clock by `ms`; everything due in between happens at its own time. */
  advance(ms: number): Promise<void>;
  /**
   * Advances from timer to timer until rest. At rest no work is due, no function runs, and only dead-letter
   * queues hold messages. Every open saga waits for its user.
   * @returns the elapsed milliseconds.
   * @throws NotAtRest, with what still moves, if it would take more than `limitMs`.
   */
  runToRest(limitMs: number): Promise<number>;
  /**
   * Advances until a call has its response.
   * @throws NotAtRest if it would take more than `limitMs`.
   */
  until<Result>(call: Promise<Result>, limitMs: number): Promise<Result>;
  snapshot(): Snapshot;
  /** Ends all work and restores the process's globals. */
  stop(): Promise<void>;
}

let serviceDefinition: Promise<ServiceDefinition> | undefined;
let isRunning = false;

/** The service definition of all worlds in this process. The CLI takes seconds to read it, so it is read once. */
export function theService(): Promise<ServiceDefinition> {
  serviceDefinition ??= readServiceDefinition(DIRECTORY);
  return serviceDefinition;
}

/** Sets a definition that the parent process has read already. */
export function useService(definition: ServiceDefinition): void {
  serviceDefinition = Promise.resolve(definition);
}

/**
 * Creates the whole service in this process: the real handlers and the real state machine over in-memory AWS
 * services and gateway. There is no network, no other process and no real time. The same seed and calls give
 * the same effects in the same order. Only one world can exist at a time, because the handlers' runtime,
 * `Date.now` and `Math.random` belong to the process.
 * @throws ConfigurationError for a bad setting.
 */
export async function createWorld(options: WorldOptions): Promise<World> {
  if (isRunning) throw new Error('A world runs in this process already; stop it first.');
  isRunning = true;
  const foundation = new Foundation(options.seed);
  foundation.onEnd(() => {
    isRunning = false;
  });
  try {
    return await build(options, await theService(), foundation);
  } catch (error) {
    foundation.end();
    throw error;
  }
}

async function build(
  { products, intercept, ...options }: WorldOptions,
  service: ServiceDefinition,
  foundation: Foundation,
): Promise<World> {
  const { clock, effects } = foundation;
  const parts = await createParts(options, service, foundation);
  const { functions, stepFunctions, storage } = parts;
  const issuer = new Issuer(clock);
  const runtime = { ...createRuntime(parts), verifyToken: issuer.verify };
  installRuntime(runtime);
  await functions.preload();
  await seedProducts(runtime, products);
  consumeQueues(parts);
  startSchedules(parts, {
    dispatchDueWork: { table: storage.orders, index: 'due' },
    expireReservations: { table: storage.inventory, index: 'expiry' },
  });
  if (intercept !== undefined) effects.setInterceptor(intercept);

  const snapshot = () => takeSnapshot(parts);
  const time = new Time({
    clock,
    unrest: () => [...unrestOfParts(parts), ...unrestOfStored(snapshot(), foundation.clock.now())],
    throwDefect: () => {
      foundation.throwDefect();
    },
  });
  return {
    parts,
    runtime,
    clock,
    caller: () => effects.caller(),
    requester: () => effects.requester,
    effects: effects.effects,
    setInterceptor: (replacement) => {
      effects.setInterceptor(replacement);
    },
    setAdmission: (admission) => {
      functions.setAdmission(admission);
    },
    issueToken: (user, scope) => issuer.issue(user, scope),
    call: ({ user, scope, headers, ...request }) => {
      const authorization =
        user === undefined ? {} : { authorization: `Bearer ${issuer.issue(user, scope)}` };
      return parts.api.call({ ...request, headers: { ...authorization, ...headers } });
    },
    invoke: (functionKey, event) => functions.invoke(functionKey, event),
    abortExecutions: (name) => {
      const { name: saga } = service.stepFunctions.stateMachines.orderSaga;
      const all = stepFunctions.executions.listOf(stepFunctions.stateMachineArn(saga));
      for (const one of all) if (name === undefined || one.name === name) one.stop({});
    },
    runUntilIdle: () => time.runUntilIdle(),
    advance: (ms) => time.advance(ms),
    runToRest: (limitMs) => time.runToRest(limitMs),
    until: (call, limitMs) => time.until(call, limitMs),
    snapshot,
    stop: async () => {
      // Lets running work end or reach an effect before the globals are restored.
      foundation.freeze();
      await time.runUntilIdle().finally(() => {
        foundation.end();
      });
      await time.runUntilIdle();
    },
  };
}
