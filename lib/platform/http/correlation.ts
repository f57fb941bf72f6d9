import { CORRELATION_ID } from '../../limits.ts';
import { installedRuntime, randomIds } from '../lambda/installed-runtime.ts';
import type { CallMiddleware } from './endpoint.ts';

/** Gives every request its correlation id, and every response the header with it. */
export function correlation(): CallMiddleware {
  const addHeader: CallMiddleware['after'] = (request) => {
    if (!request.response) return;
    const { headers } = request.response;
    const { correlationId } = request.event;
    request.response = {
      ...request.response,
      headers: { ...headers, 'X-Correlation-Id': correlationId },
    };
  };
  return {
    before: ({ event: call }) => {
      call.correlationId = correlationIdOf(call.header('x-correlation-id'));
    },
    after: addHeader,
    onError: addHeader,
  };
}

/** The caller's own id is kept if it is harmless to log. */
function correlationIdOf(given: string | undefined): string {
  return given !== undefined && CORRELATION_ID.test(given)
    ? given
    : (installedRuntime()?.ids ?? randomIds).random();
}
