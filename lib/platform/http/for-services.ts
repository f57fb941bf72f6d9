import type { Part } from './endpoint.ts';
import { authenticateService } from './service-credential.ts';

/** Access for the other service only, by its credential. */
export function forServices(): Part<'access'> {
  return {
    facts: { access: 'service' },
    middleware: {
      before: ({ event: call }) => authenticateService(call.header('authorization')),
    },
  };
}
