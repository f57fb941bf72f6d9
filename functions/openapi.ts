import { openApiDocument } from '../lib/api-document/open-api.ts';
import { apiHandler } from '../lib/platform/api.ts';

let body: ReturnType<typeof openApiDocument> | undefined;

export const handler = apiHandler({ route: 'GET /openapi.json', access: 'public' }, () => {
  body ??= openApiDocument();
  return Promise.resolve({ status: 200, body });
});
