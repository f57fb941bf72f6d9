import type { AwsAccess } from '../aws/aws-access.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { HttpClient } from '../http/http-client.ts';
import type { Ids } from '../ids.ts';

/** Dependencies of the code on its environment; made once per process. */
export interface Runtime {
  readonly config: Config;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Returns a number in [0, 1), for back-off jitter. */
  readonly random: () => number;
  readonly aws: AwsAccess;
  readonly http: HttpClient;
  /** Set by a host that issues its tokens itself. Default: the issuer's published keys decide. */
  readonly verifyToken?: VerifyToken;
}

/** The claims of a verified token that the code reads. */
export interface Claims {
  readonly sub?: string | undefined;
  readonly scope?: unknown;
}

/**
 * Verifies a token: signature, algorithm, issuer, audience, and that it has not expired.
 * Rejects with the JOSE library's errors.
 */
export type VerifyToken = (token: string, nowMs: number) => Promise<Claims>;

/** The process's runtime, if a host installed it or an earlier call made it. */
export let installedRuntime: Runtime | undefined;

/**
 * Sets the runtime of a host that brings its own clock or interceptor and runs the handlers in its own process.
 * @returns the runtime.
 */
export function installRuntime(runtime: Runtime): Runtime {
  installedRuntime = runtime;
  return runtime;
}
