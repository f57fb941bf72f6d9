import { MissingScope } from '../errors.ts';
import type { User } from './call.ts';
import type { Part } from './endpoint.ts';
import { authenticateUser } from './user-token.ts';

/** Access for users with a good token and, if one is named, its scope. */
export function forUsers(scope?: string): Part<'access' | 'scope'> {
  return {
    facts: { access: 'user', ...(scope === undefined ? {} : { scope }) },
    middleware: {
      before: async ({ event: call }) => {
        call.user = requireScope(scope, await authenticateUser(call.header('authorization')));
      },
    },
  };
}

function requireScope(scope: string | undefined, user: User): User {
  if (scope === undefined || user.scopes.has(scope)) return user;
  throw new MissingScope(`This needs a token with the scope ${scope}.`);
}
