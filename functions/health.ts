import type { CommonAnswers } from '../api-document/service-examples.ts';
import { apiHandler, forEveryone } from '../lib/platform/http/api-handler.ts';

/** Liveness of the API and this function. It needs no configuration and calls no other service. */
export const handler = apiHandler(
  {
    route: 'GET /health',
    access: forEveryone,
    document: {
      tag: 'Service',
      summary: 'Liveness',
      description: 'The API answers.',
      answers: {
        200: { description: 'The API is alive.', example: 'health' },
      } satisfies CommonAnswers,
    },
  },
  () => Promise.resolve({ status: 200, body: { status: 'ok' } }),
);
