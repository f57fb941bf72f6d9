import { METHODS_BY_PATH } from '../lib/api-document/rendered-methods.ts';
import { allowedOrigins } from '../lib/platform/http/allowed-origins.ts';
import { apiHandler } from '../lib/platform/http/api-handler.ts';
import { preflightHeaders } from '../lib/platform/http/cors.ts';
import { forEveryone } from '../lib/platform/http/for-everyone.ts';

/** Says which methods a path has, and to a page of an allowed origin that it may use them. */
export const handler = apiHandler(
  { route: 'OPTIONS', access: forEveryone },
  ({ resource, header }) => {
    const methods = METHODS_BY_PATH[resource] ?? [];
    const headers = preflightHeaders(header('origin'), allowedOrigins(), methods);
    const allow = [...methods, 'OPTIONS'].join(', ');
    return Promise.resolve({ status: 204, body: undefined, headers: { Allow: allow, ...headers } });
  },
);
