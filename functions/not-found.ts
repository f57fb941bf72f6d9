import { NotFound } from '../lib/platform/errors.ts';
import { apiHandler } from '../lib/platform/http/api-handler.ts';
import { forEveryone } from '../lib/platform/http/for-everyone.ts';

/** Every path and method that no other function answers. */
export const handler = apiHandler({ route: 'ANY /{proxy+}', access: forEveryone }, () =>
  Promise.reject(new NotFound('No such path or method; see /docs for those there are.')),
);
