import { Unauthenticated } from '../errors.ts';
import type { Access } from './endpoint.ts';
import { isService } from './service-access.ts';
import { authenticateUser } from './user-access.ts';

/** Access for users with a good token, and for the other service. */
export function forUsersAndServices(): Access {
  return {
    callers: 'user-or-service',
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
