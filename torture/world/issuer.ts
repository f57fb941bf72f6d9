import { errors } from 'jose';
import type { VerifyToken } from '../../lib/platform/lambda/runtime.ts';
import type { VirtualClock } from './virtual-clock.ts';

const ONE_DAY_MS = 86_400_000;

interface Token {
  readonly sub: string;
  readonly scope: string | undefined;
  readonly expiresAtMs: number;
}

/**
 * Issues and verifies tokens without signatures. Verifying a signature runs in a thread, whose timing would
 * make runs differ; other tests cover signatures.
 */
export class Issuer {
  readonly #clock: VirtualClock;
  readonly #tokens = new Map<string, Token>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** A token that is valid for one day. */
  issue(userId: string, scope?: string): string {
    const token = `world.${String(this.#tokens.size)}`;
    const expiresAtMs = this.#clock.now() + ONE_DAY_MS;
    this.#tokens.set(token, { sub: userId, scope, expiresAtMs });
    return token;
  }

  readonly verify: VerifyToken = (token, nowMs) => {
    const known = this.#tokens.get(token);
    if (known === undefined) return Promise.reject(new errors.JWTInvalid('Not a token of ours'));
    const { expiresAtMs, ...claims } = known;
    return nowMs < expiresAtMs
      ? Promise.resolve(claims)
      : Promise.reject(new errors.JWTExpired('It has expired', {}));
  };
}
