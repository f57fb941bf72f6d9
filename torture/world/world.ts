import type { NewProduct } from '../../lib/inventory/create-product.ts';
import type { HttpResponse } from '../../lib/platform/http/http-client.ts';
import { installRuntime, type Runtime } from '../../lib/platform/lambda/runtime.ts';
import type { WriteListener } from '../../local/dynamodb/memory-dynamodb.ts';
import { seedProducts } from '../../local/stack/seed.ts';
import {
  readServiceDefinition,
  type ServiceDefinition,
} from '../../local/stack/service-definition.ts';
import type { ApiRequest } from './api.ts';
import type { RecordedEffect, WorldInterceptor } from './effect-log.ts';
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
  /** Decides every id and every random number. */
  readonly seed: number;
  /** Configuration (section 7 of the specification) that differs from the defaults. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** What there is to buy; the seed products of a local start unless told otherwise. */
  readonly products?: readonly NewProduct[];
  /** Sees every effect of every handler once the world is made; `setInterceptor` replaces it. */
  readonly intercept?: WorldInterceptor;
  /** Lets messages come twice, late, or after others; each comes once, at once, unless told otherwise. */
  readonly delivery?: Delivery;
  /** Told of every write to the tables at the moment it is carried out. */
  readonly onWrite?: WriteListener;
}

/** A call of the API; as a user, with a token of theirs, where one is named. */
export interface WorldCall extends ApiRequest {
  readonly user?: string;
  readonly scope?: string;
}

export interface World {
  readonly parts: Parts;
  /** For operators' tools: what is done with it, and not by a handler, is no effect of the world's. */
  readonly runtime: Runtime;
  readonly clock: VirtualClock;
  /** The function, by its key in serverless.yml, that runs where this is asked. */
  caller(): string | undefined;
  /** Every effect of every handler so far, in the order they were asked for. */
  readonly effects: readonly RecordedEffect[];
  setInterceptor(intercept: WorldInterceptor): void;
  /** Issues a token for a user, good for one day of the world's time. */
  issueToken(user: string, scope?: string): string;
  /** Answers when the function has; of a call that waits, only as time goes on. */
  call(request: WorldCall): Promise<HttpResponse>;
  /** Runs a function once more, or at another time than whoever runs it otherwise. */
  invoke(functionKey: string, event: unknown): Promise<unknown>;
  /** Until everything that runs has ended or waits for time; no time passes. */
  runUntilIdle(): Promise<void>;
  /** Everything that falls due within so many milliseconds happens, each at its own time. */
  advance(ms: number): Promise<void>;
  /**
   * From timer to timer until nothing moves by itself: no work is due, no message is in a queue but
   * the dead-letter queues, nothing runs, and every saga that is not over waits for its user.
   * @returns the milliseconds that took.
   * @throws NotAtRest, with what still moves, when more than `limitMs` would pass.
   */
  runToRest(limitMs: number): Promise<number>;
  /**
   * Lets time go on until a call has been answered.
   * @throws NotAtRest when more than `limitMs` would pass.
   */
  until<Result>(call: Promise<Result>, limitMs: number): Promise<Result>;
  snapshot(): Snapshot;
  /** Ends everything for good and gives the process back what it had. */
  stop(): Promise<void>;
}

let serviceDefinition: Promise<ServiceDefinition> | undefined;
let isRunning = false;

/** What every world of this process is made of: the CLI takes seconds to read it, so only once. */
export function theService(): Promise<ServiceDefinition> {
  serviceDefinition ??= readServiceDefinition(DIRECTORY);
  return serviceDefinition;
}

/** Spares a process that another one has started the reading. */
export function useService(definition: ServiceDefinition): void {
  serviceDefinition = Promise.resolve(definition);
}

/**
 * Makes the whole service in this process, without network, other processes or real time: the real
 * handlers, driven by the real state machine, over AWS services and a payment gateway in memory. The
 * same seed and the same calls have the same effects in the same order. One world at a time, because
 * the handlers' runtime, `Date.now` and `Math.random` are the process's.
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
  const { functions, storage } = parts;
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
    effects: effects.effects,
    setInterceptor: (replacement) => {
      effects.setInterceptor(replacement);
    },
    issueToken: (user, scope) => issuer.issue(user, scope),
    call: ({ user, scope, headers, ...request }) => {
      const authorization =
        user === undefined ? {} : { authorization: `Bearer ${issuer.issue(user, scope)}` };
      return parts.api.call({ ...request, headers: { ...authorization, ...headers } });
    },
    invoke: (functionKey, event) => functions.invoke(functionKey, event),
    runUntilIdle: () => time.runUntilIdle(),
    advance: (ms) => time.advance(ms),
    runToRest: (limitMs) => time.runToRest(limitMs),
    until: (call, limitMs) => time.until(call, limitMs),
    snapshot,
    stop: async () => {
      // What still runs comes to its end, or to an effect, before the process is given back.
      foundation.freeze();
      await time.runUntilIdle().finally(() => {
        foundation.end();
      });
      await time.runUntilIdle();
    },
  };
}
