import { allowedOrigins } from './allowed-origins.ts';
import { corsHeaders } from './cors.ts';
import type { CallMiddleware } from './endpoint.ts';

/**
 * Tells browsers and caches how to treat every answer: never guess its type, never store it unless
 * the route says so, and let pages of allowed origins read it.
 * @param isForPages false for routes that only other services call.
 */
export function browserHeaders(isForPages: boolean): CallMiddleware {
  const addHeaders: CallMiddleware['after'] = (request) => {
    if (!request.response) return;
    const { headers } = request.response;
    request.response = {
      ...request.response,
      headers: {
        'Cache-Control': headers['ETag'] === undefined ? 'no-store' : 'private, no-cache',
        'X-Content-Type-Options': 'nosniff',
        ...(isForPages ? corsHeaders(request.event.header('origin'), allowedOrigins()) : {}),
        ...headers,
      },
    };
  };
  return { after: addHeaders, onError: addHeaders };
}
