import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
} from 'jose';
import type { Clock } from '../../../../lib/platform/clock.ts';
import { createRuntime, installRuntime } from '../../../../lib/platform/lambda/runtime.ts';
import { REQUIRED } from './environment.ts';

/** 2026-03-01T12:00:00Z. */
export const NOW_SECONDS = 1_772_366_400;

/** Behaviour of the key server from now on. */
export type KeyService = 'answers' | 'fails' | 'is-garbled' | 'has-no-keys' | 'hangs-up';

export interface TestIssuer {
  readonly jwksUrl: string;
  readonly privateKey: CryptoKey;
  /** The public key as text, which an attacker may know. */
  readonly publicPem: string;
  readonly keyRequests: () => number;
  behave(how: KeyService): void;
  stop(): Promise<void>;
}

/** An OpenID provider, reduced to token verification: a key, served over HTTP. */
export async function startTestIssuer(): Promise<TestIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  // Some providers publish no `alg`, so only the verifier restricts the algorithms.
  const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', use: 'sig' };
  let behaviour: KeyService = 'answers';
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (behaviour === 'hangs-up') {
      request.socket.destroy();
      return;
    }
    response.statusCode = behaviour === 'fails' ? 503 : 200;
    response.setHeader('content-type', 'application/json');
    response.end(
      behaviour === 'is-garbled'
        ? '<html>'
        : JSON.stringify(behaviour === 'has-no-keys' ? {} : { keys: [jwk] }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    jwksUrl: `http://127.0.0.1:${port}/jwks.json`,
    privateKey,
    publicPem: await exportSPKI(publicKey),
    keyRequests: () => requests,
    behave(how) {
      behaviour = how;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** A valid token, apart from the given changes; `undefined` leaves a claim out. */
export function tokenOf(
  issuer: TestIssuer,
  claims: Readonly<Record<string, unknown>> = {},
  { alg = 'RS256', key = issuer.privateKey }: { alg?: string; key?: CryptoKey | Uint8Array } = {},
): Promise<string> {
  const payload: JWTPayload = {
    iss: REQUIRED.JWT_ISSUER,
    aud: REQUIRED.JWT_AUDIENCE,
    sub: 'alice',
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 3600,
    ...claims,
  };
  // JSON omits a claim that is undefined.
  return new SignJWT(payload).setProtectedHeader({ alg, kid: 'key-1' }).sign(key);
}

/** A new runtime without caches that trusts the issuer; its time is `nowSeconds`. */
export function installTestRuntime(
  issuer: Pick<TestIssuer, 'jwksUrl'>,
  nowSeconds = NOW_SECONDS,
  settings: Readonly<Record<string, string | undefined>> = {},
): void {
  const clock: Clock = { now: () => nowSeconds * 1000, schedule: () => () => undefined };
  installRuntime(
    createRuntime(
      { ...REQUIRED, JWKS_URL: issuer.jwksUrl, ...settings },
      { clock, ids: { random: () => 'fresh-id' } },
    ),
  );
}
