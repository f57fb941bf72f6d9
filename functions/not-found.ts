import { apiHandler } from '../lib/platform/api.ts';
import { NotFound } from '../lib/platform/errors.ts';

/** Every path and method that no other function answers. */
export const handler = apiHandler({ route: 'ANY /{proxy+}', access: 'public' }, () =>
  Promise.reject(new NotFound('No such path or method; see /docs for those there are.')),
);
