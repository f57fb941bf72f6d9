import * as z from 'zod';
import type { Endpoint } from './endpoint.ts';

/**
 * One call of the API as its document (OpenAPI) describes it. What the Lambda's `Endpoint` says too
 * is held against it by tests/contract/openapi.test.ts: access, scope, schemas, idempotency.
 */
export interface Operation {
  /** The function that answers it, as in infrastructure/functions.yml. */
  readonly id: string;
  readonly tag: 'Orders' | 'Payments' | 'Products' | 'Reservations' | 'Service';
  readonly summary: string;
  readonly description: string;
  readonly access: Endpoint['access'];
  readonly scope?: string;
  /** The payment gateway signs its body. */
  readonly isSigned?: true;
  /** Takes `Idempotency-Key`. */
  readonly idempotent?: true;
  /** Further request headers that it looks at. */
  readonly headers?: readonly RequestHeader[];
  /** A description and an example of each path parameter. */
  readonly path?: Readonly<Record<string, PathParameter>>;
  readonly query?: Content;
  readonly body?: Content;
  /** What it answers when it succeeds, by status. */
  readonly answers: Readonly<Record<number, DocumentedAnswer>>;
  /** Codes of problems besides those that follow from access, body and idempotency. */
  readonly problems?: readonly string[];
}

export type RequestHeader = 'Prefer' | 'If-Match' | 'If-None-Match' | 'X-Allow-Duplicate';
export type AnswerHeader = 'ETag' | 'Location' | 'Retry-After' | 'Content-Security-Policy';

export interface PathParameter {
  readonly description: string;
  readonly example: string;
}

export interface Content {
  readonly schema: z.ZodType;
  readonly example: unknown;
}

export interface DocumentedAnswer extends Content {
  readonly description: string;
  readonly headers: readonly AnswerHeader[];
  readonly contentType: string;
}

/** What one service adds to the document. */
export interface ServiceDocument {
  /** By route: `POST /order`. */
  readonly operations: Readonly<Record<string, Operation>>;
  /** Bodies that callers send, by the name they have in the document. */
  readonly requests: Readonly<Record<string, z.ZodType>>;
  /** Bodies that are answered, and parts of them worth a name. */
  readonly responses: Readonly<Record<string, z.ZodType>>;
}

/** A body or query with an example that the compiler holds against its schema. */
export function request<Schema extends z.ZodType>(
  schema: Schema,
  example: z.input<Schema>,
): Content {
  return { schema, example };
}

/** A JSON answer with an example that the compiler holds against its schema. */
export function answer<Schema extends z.ZodType>(
  description: string,
  schema: Schema,
  example: z.output<Schema>,
  headers: readonly AnswerHeader[] = [],
): DocumentedAnswer {
  return { description, schema, example, headers, contentType: 'application/json' };
}

/** Problem document (RFC 9457). Each service adds members of its own. */
export const problemSchema = z.looseObject({
  type: z.string().describe('A stable name of the kind of problem; `code` says the same.'),
  title: z.string().describe('The kind of problem in words.'),
  status: z
    .int()
    .optional()
    .describe("The answer's HTTP status; absent from a few answers of API Gateway itself."),
  detail: z.string().describe('What to do next.'),
  instance: z.string().describe('The path that was called.'),
  code: z.string().describe('Stable and upper-case; what programs decide by.'),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .describe('The fields of the request that are to be corrected.'),
});
