import { SignatureV4 } from '@smithy/signature-v4';
import { databaseClient } from '../dynamo/database-client.ts';
import type { RequestSigner } from '../http/http-client.ts';
import type { Runtime } from '../lambda/runtime.ts';

/** Signs requests to a function URL (Signature Version 4) as the role that this function runs with. */
export function functionUrlSigner({ aws, clock }: Pick<Runtime, 'aws' | 'clock'>): RequestSigner {
  const { credentials, region, sha256 } = databaseClient(aws).config;
  const signer = new SignatureV4({ service: 'lambda', credentials, region, sha256 });
  return async ({ method, url, body }) => {
    const { protocol, hostname, host, pathname, searchParams } = new URL(url);
    const request = {
      method,
      protocol,
      hostname,
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: { host },
      body,
    };
    const signed = await signer.sign(request, { signingDate: new Date(clock.now()) });
    const { host: _sentAnyway, ...headers } = signed.headers;
    return headers;
  };
}
