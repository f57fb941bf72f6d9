import { forEveryone } from '../lib/platform/http/api-handler.ts';
import type { Endpoint } from '../lib/platform/http/endpoint.ts';
import type { CommonAnswers } from './service-examples.ts';

// The functions of these two routes import the rendered document, which is made from all declarations: in their
// own files, the declarations would be part of an import cycle.

export const openapiEndpoint = {
  route: 'GET /openapi.json',
  access: forEveryone,
  document: {
    tag: 'Service',
    summary: 'This document',
    description: 'OpenAPI 3.1, made from the same schemas that validate requests.',
    answers: {
      200: { description: 'The document.', example: 'document' },
    } satisfies CommonAnswers,
  },
} as const satisfies Endpoint;

export const docsEndpoint = {
  route: 'GET /docs',
  access: forEveryone,
  document: {
    tag: 'Service',
    summary: 'This document to read',
    description: 'One page without scripts that loads nothing from anywhere else.',
    answers: {
      200: {
        description: 'The page.',
        example: 'page',
        contentType: 'text/html',
        headers: ['Content-Security-Policy'],
      },
    } satisfies CommonAnswers,
  },
} as const satisfies Endpoint;
