import { DOCUMENT_TEXT } from '../lib/api-document/rendered-document.ts';
import { apiHandler } from '../lib/platform/http/api-handler.ts';
import { forEveryone } from '../lib/platform/http/for-everyone.ts';

export const handler = apiHandler({ route: 'GET /openapi.json', access: forEveryone }, () =>
  Promise.resolve({
    status: 200,
    contentType: 'application/json',
    headers: { 'Cache-Control': 'public, max-age=300' },
    body: DOCUMENT_TEXT,
  }),
);
