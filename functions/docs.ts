import { PAGE_SECURITY_POLICY, PAGE_TEXT } from '../lib/api-document/rendered-page.ts';
import { apiHandler } from '../lib/platform/http/api-handler.ts';
import { forEveryone } from '../lib/platform/http/for-everyone.ts';

export const handler = apiHandler({ route: 'GET /docs', access: forEveryone }, () =>
  Promise.resolve({
    status: 200,
    contentType: 'text/html; charset=utf-8',
    headers: {
      'Cache-Control': 'public, max-age=300',
      'Content-Security-Policy': PAGE_SECURITY_POLICY,
    },
    body: PAGE_TEXT,
  }),
);
