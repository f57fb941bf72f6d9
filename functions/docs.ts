import { docsEndpoint } from '../api-document/own-endpoints.ts';
import { PAGE_SECURITY_POLICY, PAGE_TEXT } from '../api-document/rendered-page.ts';
import { apiHandler } from '../lib/platform/http/api-handler.ts';

export const handler = apiHandler(docsEndpoint, () =>
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
