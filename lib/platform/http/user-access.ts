import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { MAX_USER_ID_CHARACTERS } from '../../limits.ts';
import { InfrastructureUnavailable, MissingScope, Unauthenticated } from '../errors.ts';
import { type Claims, currentRuntime, perRuntime, type VerifyToken } from '../lambda/runtime.ts';
import type { Access } from './endpoint.ts';
import { countRefusedAccess } from './refused-access.ts';

const BAD_TOKEN = 'The token is not valid here; check issuer, audience, signature and expiry.';

/** Access for users with a good token and, if one is named, its scope. */
export function forUsers(scope?: string) {
  return {
    callers: 'user',
    ...(scope === undefined ? {} : { scope }),
    countRefused: countRefusedAccess,
    async authenticate(token: string) {
      const { clock, verifyToken = byPublishedKeys() } = currentRuntime();
      let claims: Claims;
      try {
        claims = await verifyToken(token, clock.now());
      } catch (error) {
        throw translate(error);
      }
      const { sub, scope: granted } = claims;
      if (!isUserId(sub)) {
        throw new Unauthenticated(BAD_TOKEN, { logged: { reason: 'BAD_SUBJECT' } });
      }
      const scopes = new Set(typeof granted === 'string' ? granted.split(' ').filter(Boolean) : []);
      if (scope !== undefined && !scopes.has(scope)) {
        throw new MissingScope(`This needs a token with the scope ${scope}.`, {
          logged: { userId: sub, reason: scope },
        });
      }
      return { userId: sub, scopes };
    },
  } as const satisfies Access;
}

/** A claim is whatever the issuer's JSON holds, whatever its type says. */
function isUserId(sub: unknown): sub is string {
  return (
    typeof sub === 'string' &&
    sub.length >= 1 &&
    sub.length <= MAX_USER_ID_CHARACTERS &&
    sub.isWellFormed()
  );
}

/** Asymmetric only: a token signed with a shared secret, or not at all, is never accepted. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

const byPublishedKeys = perRuntime(({ config }): VerifyToken => {
  const keys = createRemoteJWKSet(new URL(config.JWKS_URL), { timeoutDuration: 3000 });
  return async (token, nowMs) => {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
      currentDate: new Date(nowMs),
      requiredClaims: ['sub', 'exp'],
    });
    return payload;
  };
});

/**
 * Translates the failure of a verification: Unauthenticated if the token is bad, InfrastructureUnavailable if the
 * issuer's keys could not be fetched, which says nothing about the token.
 */
function translate(error: unknown): Error {
  if (error instanceof errors.JOSEError && !isAboutKeys(error)) {
    return new Unauthenticated(
      error instanceof errors.JWTExpired ? 'The token has expired; get a new one.' : BAD_TOKEN,
      { cause: error, logged: { reason: error.code } },
    );
  }
  return new InfrastructureUnavailable("The token issuer's keys could not be fetched; try again.", {
    cause: error,
    retryAfterSeconds: 2,
  });
}

/** Tells failures of the issuer's key server (no answer, a 5xx, no key set) from those of the token. */
function isAboutKeys(error: errors.JOSEError): boolean {
  return (
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error.code === 'ERR_JOSE_GENERIC'
  );
}
