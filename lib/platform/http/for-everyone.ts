import type { Endpoint } from './endpoint.ts';

/** Access without a token; one that is sent is not looked at. */
export const forEveryone: { readonly facts: Pick<Endpoint, 'access'> } = {
  facts: { access: 'public' },
};
