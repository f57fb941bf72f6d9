import { METHODS_BY_PATH, SENDABLE_HEADERS } from '../api-document/rendered-preflights.ts';
import { preflightHeaders } from '../lib/platform/http/answer-headers.ts';
import { apiHandler, forEveryone } from '../lib/platform/http/api-handler.ts';

/** Lists the methods of a path, and lets pages of allowed origins use them. */
export const handler = apiHandler(
  { route: 'OPTIONS', access: forEveryone, headers: ['Origin'] },
  ({ resource, header }) => {
    const methods = METHODS_BY_PATH[resource] ?? [];
    const headers = preflightHeaders(header('Origin'), methods, SENDABLE_HEADERS);
    const allow = [...methods, 'OPTIONS'].join(', ');
    return Promise.resolve({ status: 204, body: undefined, headers: { Allow: allow, ...headers } });
  },
);
