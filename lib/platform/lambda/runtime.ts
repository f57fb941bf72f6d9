import { createAwsAccess, type RequestHandler } from '../aws/aws-access.ts';
import { type Clock, systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import { type Interceptor, passThrough } from '../effects.ts';
import { createHttpClient } from '../http/http-client.ts';
import { type Ids, randomIds } from '../ids.ts';
import { installedRuntime, installRuntime, type Runtime } from './installed-runtime.ts';

export type { Claims, Runtime, VerifyToken } from './installed-runtime.ts';
export { installRuntime };

export interface RuntimeOverrides {
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly random?: () => number;
  readonly intercept?: Interceptor;
  /** Carries the SDK's requests, for a host that answers some itself. */
  readonly requestHandler?: RequestHandler;
}

/**
 * @param environment default: the process's own.
 * @throws ConfigurationError if the environment is incomplete or invalid.
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
    aws: createAwsAccess(intercept, overrides.requestHandler),
    http: createHttpClient(intercept),
  };
}

/** @returns the process's runtime; made from its environment on first use unless one was installed. */
export function currentRuntime(): Runtime {
  return installedRuntime ?? installRuntime(createRuntime());
}

/** Builds a service once per runtime: `const service = perRuntime((runtime) => …)`. */
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
