import { NotFound } from '../lib/platform/errors.ts';
import { apiHandler, forEveryone } from '../lib/platform/http/api-handler.ts';
import { NO_SUCH_CALL } from '../lib/platform/http/problems.ts';

/** Answers every path and method without a function of its own. API Gateway's own `404` has the same text. */
export const handler = apiHandler({ route: 'ANY /{proxy+}', access: forEveryone }, () =>
  Promise.reject(new NotFound(NO_SUCH_CALL)),
);
