import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { MAX_USER_ID_CHARACTERS } from '../../limits.ts';
import type { Config } from '../config.ts';
import { InfrastructureUnavailable, MissingScope, Unauthenticated } from '../errors.ts';
import { currentRuntime, perRuntime, type VerifyToken } from '../lambda/runtime.ts';
import { bearer, type User } from './call.ts';
import type { Access } from './endpoint.ts';

/** Access for users with a good token and, if one is named, its scope. */
export function forUsers(scope?: string): Access {
  return {
    callers: 'user',
    ...(scope === undefined ? {} : { scope }),
    middleware: {
      before: async ({ event: call }) => {
        call.user = await authenticateUser(call.header('authorization'));
        if (scope === undefined || call.user.scopes.has(scope)) return;
        throw new MissingScope(`This needs a token with the scope ${scope}.`);
      },
    },
  };
}

/** Asymmetric only: a token signed with a shared secret, or not at all, is never accepted. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

const verifier = perRuntime(({ config, verifyToken }) => verifyToken ?? byPublishedKeys(config));

function byPublishedKeys(config: Config): VerifyToken {
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
}

/**
 * Verifies `Authorization: Bearer <JWT>`: signature, algorithm, issuer, audience, expiry, subject.
 * @throws Unauthenticated if it is missing or bad.
 * @throws InfrastructureUnavailable if the issuer's keys could not be fetched, which says nothing about the token.
 */
export async function authenticateUser(authorization: string | undefined): Promise<User> {
  const token = bearer(authorization);
  try {
    const { sub, scope } = await verifier()(token, currentRuntime().clock.now());
    if (sub === undefined || sub === '' || sub.length > MAX_USER_ID_CHARACTERS) {
      throw new Unauthenticated(BAD_TOKEN);
    }
    const scopes = typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
    return { userId: sub, scopes: new Set(scopes) };
  } catch (error) {
    if (error instanceof Unauthenticated) throw error;
    if (error instanceof errors.JOSEError && !isAboutKeys(error)) {
      throw new Unauthenticated(
        error instanceof errors.JWTExpired ? 'The token has expired; get a new one.' : BAD_TOKEN,
        { cause: error },
      );
    }
    throw new InfrastructureUnavailable(
      "The token issuer's keys could not be fetched; try again.",
      {
        cause: error,
        retryAfterSeconds: 2,
      },
    );
  }
}

/** Tells failures of the issuer's key server (no answer, a 5xx, no key set) from those of the token. */
function isAboutKeys(error: errors.JOSEError): boolean {
  return (
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error.code === 'ERR_JOSE_GENERIC'
  );
}

const BAD_TOKEN = 'The token is not valid here; check issuer, audience, signature and expiry.';
