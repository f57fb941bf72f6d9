import { type AwsClients, createAwsClients } from './aws-clients.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Config, readConfig } from './config.ts';
import { type Interceptor, passThrough } from './effects.ts';
import { createHttpClient, type HttpClient } from './http-client.ts';
import { type Ids, randomIds } from './ids.ts';

/** What the code needs from the world it runs in; made once per process. */
export interface Runtime {
  readonly config: Config;
  readonly clock: Clock;
  readonly ids: Ids;
  /** A number in [0, 1), for back-off jitter. */
  readonly random: () => number;
  readonly aws: AwsClients;
  readonly http: HttpClient;
  /** Of a host that issues its tokens itself; without it the issuer's published keys decide. */
  readonly verifyToken?: VerifyToken;
}

/** What a token says that was found to be genuine; only what is looked at. */
export interface Claims {
  readonly sub?: string | undefined;
  readonly scope?: unknown;
}

/**
 * Verifies a token: signature, algorithm, issuer, audience, and that it has not expired.
 * Rejects with the JOSE library's errors.
 */
export type VerifyToken = (token: string, nowMs: number) => Promise<Claims>;

export interface RuntimeOverrides {
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly random?: () => number;
  readonly intercept?: Interceptor;
}

/**
 * @param environment the process's own unless given.
 * @throws ConfigurationError where the environment is incomplete or bad.
 */
export function createRuntime(
  environment?: Readonly<Record<string, string | undefined>>,
  overrides: RuntimeOverrides = {},
): Runtime {
  const intercept = overrides.intercept ?? passThrough;
  return {
    config: readConfig(environment),
    clock: overrides.clock ?? systemClock,
    ids: overrides.ids ?? randomIds,
    random: overrides.random ?? Math.random,
    aws: createAwsClients(intercept),
    http: createHttpClient(intercept),
  };
}

let current: Runtime | undefined;

/** The process's runtime, made from its environment on first use unless one was installed. */
export function currentRuntime(): Runtime {
  current ??= createRuntime();
  return current;
}

/** For a host that brings its own clock or interceptor and runs the handlers in its own process. */
export function installRuntime(runtime: Runtime): void {
  current = runtime;
}

/** Builds a service once per runtime: `const orders = perRuntime((runtime) => …)`. */
export function perRuntime<Service>(build: (runtime: Runtime) => Service): () => Service {
  const services = new WeakMap<Runtime, { readonly service: Service }>();
  return () => {
    const runtime = currentRuntime();
    let entry = services.get(runtime);
    if (entry === undefined) {
      entry = { service: build(runtime) };
      services.set(runtime, entry);
    }
    return entry.service;
  };
}
