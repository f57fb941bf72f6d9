import * as z from 'zod';
import { answer, type ServiceDocument } from '../platform/http/operation-document.ts';

const healthSchema = z.object({ status: z.literal('ok') });
/** The document describes itself as what it is, not member by member. */
const documentSchema = z.looseObject({ openapi: z.string() });
const pageSchema = z.string();

/** What belongs to no service: liveness and the description of the API. */
export const commonDocument: ServiceDocument = {
  operations: {
    'GET /health': {
      id: 'health',
      tag: 'Service',
      summary: 'Liveness',
      description: 'The API answers.',
      access: 'public',
      answers: { 200: answer('It does.', healthSchema, { status: 'ok' }) },
    },
    'GET /openapi.json': {
      id: 'openapi',
      tag: 'Service',
      summary: 'This document',
      description: 'OpenAPI 3.1, made from the same schemas that validate requests.',
      access: 'public',
      answers: { 200: answer('The document.', documentSchema, { openapi: '3.1.1' }) },
    },
    'GET /docs': {
      id: 'docs',
      tag: 'Service',
      summary: 'This document to read',
      description: 'One page without scripts that loads nothing from anywhere else.',
      access: 'public',
      answers: {
        200: {
          ...answer('The page.', pageSchema, '<!doctype html>…', ['Content-Security-Policy']),
          contentType: 'text/html',
        },
      },
    },
  },
  requests: {},
  responses: { Health: healthSchema, OpenApiDocument: documentSchema, Page: pageSchema },
};
