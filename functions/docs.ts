import { openApiDocument } from '../lib/api-document/open-api.ts';
import { PAGE_SECURITY_POLICY, renderPage } from '../lib/api-document/page.ts';
import { apiHandler } from '../lib/platform/api.ts';

let body: string | undefined;

export const handler = apiHandler({ route: 'GET /docs', access: 'public' }, () => {
  body ??= renderPage(openApiDocument());
  return Promise.resolve({
    status: 200,
    contentType: 'text/html; charset=utf-8',
    headers: { 'Content-Security-Policy': PAGE_SECURITY_POLICY },
    body,
  });
});
