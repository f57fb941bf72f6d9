import * as z from 'zod';
import { inventoryExamples } from '../lib/inventory/http/inventory-examples.ts';
import { orderExamples } from '../lib/orders/http/order-examples.ts';
import type { Answers } from '../lib/platform/http/endpoint.ts';
import { example, type ServiceExamples } from '../lib/platform/http/examples.ts';

const healthSchema = z.object({ status: z.literal('ok') });
/** The document describes itself by its type only, not member by member. */
const documentSchema = z.looseObject({ openapi: z.string() });
const pageSchema = z.string();

/** Liveness and the description of the API belong to neither service. */
const commonExamples = {
  tags: [{ name: 'Service', description: 'Liveness and this document; no token needed.' }],
  pathParameters: {},
  answers: {
    health: example(healthSchema, { status: 'ok' }),
    document: example(documentSchema, { openapi: '3.1.1' }),
    page: example(pageSchema, '<!doctype html>…'),
  },
  requests: {},
  responses: { Health: healthSchema, OpenApiDocument: documentSchema, Page: pageSchema },
} as const satisfies ServiceExamples;

export type CommonAnswers = Answers<keyof typeof commonExamples.answers>;

export const SERVICES: readonly ServiceExamples[] = [
  orderExamples,
  inventoryExamples,
  commonExamples,
];
