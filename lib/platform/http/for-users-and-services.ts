import { Unauthenticated } from '../errors.ts';
import type { Part } from './endpoint.ts';
import { isService } from './service-credential.ts';
import { authenticateUser } from './user-token.ts';

/** Access for users with a good token, and for the other service. */
export function forUsersAndServices(): Part<'access'> {
  return {
    facts: { access: 'user-or-service' },
    middleware: {
      before: async ({ event: call }) => {
        const authorization = call.header('authorization');
        try {
          call.user = await authenticateUser(authorization);
        } catch (error) {
          // Only now, so that no user waits for the services' credential.
          if (error instanceof Unauthenticated && (await isService(authorization))) return;
          throw error;
        }
      },
    },
  };
}
