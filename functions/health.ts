import { apiHandler } from '../lib/platform/api.ts';

/** Liveness: this function runs and its configuration is readable by the runtime. */
export const handler = apiHandler({ route: 'GET /health', access: 'public' }, () =>
  Promise.resolve({ status: 200, body: { status: 'ok' } }),
);
