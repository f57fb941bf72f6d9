import { openapiEndpoint } from '../api-document/own-endpoints.ts';
import { DOCUMENT_TEXT } from '../api-document/rendered-document.ts';
import { apiHandler } from '../lib/platform/http/api-handler.ts';

export const handler = apiHandler(openapiEndpoint, () =>
  Promise.resolve({
    status: 200,
    contentType: 'application/json',
    headers: { 'Cache-Control': 'public, max-age=300' },
    body: DOCUMENT_TEXT,
  }),
);
