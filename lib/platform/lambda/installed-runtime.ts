import type { AwsAccess } from '../aws/aws-access.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { HttpClient } from '../http/http-client.ts';
import type { Ids } from '../ids.ts';

/** What the code needs from the world it runs in; made once per process. */
export interface Runtime {
  readonly config: Config;
  readonly clock: Clock;
  readonly ids: Ids;
  /** A number in [0, 1), for back-off jitter. */
  readonly random: () => number;
  readonly aws: AwsAccess;
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

let installed: Runtime | undefined;

/** Sets the runtime of a host that brings its own clock or interceptor and runs the handlers in its own process. */
export function installRuntime(runtime: Runtime): void {
  installed = runtime;
}

/** The process's runtime, if it is there already: installed by a host, or made on first use. */
export function installedRuntime(): Runtime | undefined {
  return installed;
}

/** Ids that need no configuration, for functions that have none. */
export const randomIds: Ids = { random: () => crypto.randomUUID() };
