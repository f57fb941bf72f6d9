import { apiHandler } from '../lib/platform/http/api-handler.ts';
import { forEveryone } from '../lib/platform/http/for-everyone.ts';

/** Liveness: the API and this function run. It needs no configuration and asks no other service. */
export const handler = apiHandler({ route: 'GET /health', access: forEveryone }, () =>
  Promise.resolve({ status: 200, body: { status: 'ok' } }),
);
