import type { CryptoKey, JWK } from 'jose';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../lib/platform/clock.ts';
import type { Route } from './http.ts';
import { ok, parse } from './http.ts';

const ALGORITHM = 'ES256';
const ONE_DAY_SECONDS = 86_400;

const tokenBody = z.strictObject({
  subject: z.string().max(255).regex(/\S/, 'must not be blank'),
  scope: z
    .string()
    .max(1024)
    .regex(/^\S+( \S+)*$/, 'must be scopes separated by single spaces')
    .optional(),
  expiresInSeconds: z.int().min(1).max(ONE_DAY_SECONDS).default(ONE_DAY_SECONDS),
});

/** Both halves of the key that signs the tokens. The public half names its id and algorithm. */
export interface SigningKey {
  readonly id: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export interface Issuer {
  /** The `iss` claim. */
  readonly issuer: string;
  /** The `aud` claim. */
  readonly audience: string;
  /** URL of the public key. */
  readonly jwksUrl: string;
  readonly key: SigningKey;
  readonly clock: Clock;
}

/** Creates a key that lives as long as the process: its private half cannot be exported. */
export async function createSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const jwk = await exportJWK(publicKey);
  const id = await calculateJwkThumbprint(jwk);
  return { id, privateKey, publicJwk: { ...jwk, kid: id, alg: ALGORITHM, use: 'sig' } };
}

/** Routes of the development token issuer: as much of an OpenID provider as the verification of its tokens needs. */
export function createIssuerRoutes(issuer: Issuer): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/issuer/jwks.json',
      summary: 'the public key that verifies the tokens',
      handle: () => ok({ keys: [issuer.key.publicJwk] }),
    },
    {
      method: 'GET',
      path: '/issuer/.well-known/openid-configuration',
      summary: 'OpenID discovery',
      handle: () =>
        ok({
          issuer: issuer.issuer,
          jwks_uri: issuer.jwksUrl,
          response_types_supported: ['token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [ALGORITHM],
        }),
    },
    {
      method: 'POST',
      path: '/issuer/token',
      summary: 'signs a token: { subject, scope?, expiresInSeconds? }',
      handle: async ({ body }) => {
        const { subject, scope, expiresInSeconds } = parse(tokenBody, body, 'body');
        const token = await mintToken(issuer, subject, scope, expiresInSeconds);
        return ok({ token, expiresInSeconds });
      },
    },
  ];
}

/** Signs a token that is valid from the clock's current time, by default for one day. */
export function mintToken(
  issuer: Issuer,
  subject: string,
  scope?: string,
  expiresInSeconds = ONE_DAY_SECONDS,
): Promise<string> {
  const nowSeconds = Math.floor(issuer.clock.now() / 1000);
  return new SignJWT(scope === undefined ? {} : { scope })
    .setProtectedHeader({ alg: ALGORITHM, kid: issuer.key.id, typ: 'JWT' })
    .setIssuer(issuer.issuer)
    .setAudience(issuer.audience)
    .setSubject(subject)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + expiresInSeconds)
    .sign(issuer.key.privateKey);
}
