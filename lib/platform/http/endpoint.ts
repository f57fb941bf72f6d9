import type middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type * as z from 'zod';
import type { Call, HttpAnswer } from './call.ts';

/**
 * Declaration of one route. Its Lambda, its entry in the API's document and its tests are made from it.
 * A function carries only the code of the parts that its own file imports.
 */
export interface Endpoint<
  BodySchema extends z.ZodType = z.ZodType,
  QuerySchema extends z.ZodType = z.ZodType,
  Header extends RequestHeader = RequestHeader,
> {
  /** Method and path template, as in the OpenAPI document: `POST /order`. */
  readonly route: string;
  readonly access: Access;
  /** Of callers without a token, who prove that they sent exactly this body. */
  readonly signature?: Part;
  readonly body?: Content<BodySchema>;
  readonly query?: Content<QuerySchema>;
  /** Honours `Idempotency-Key`. */
  readonly idempotency?: Idempotency;
  /** Further request headers that the function reads; it can read no others. */
  readonly headers?: readonly Header[];
  /** Absent from the two routes that the document leaves out: preflights and unknown paths. */
  readonly document?: EndpointDocument;
}

/** Part of the declaration that only the API's document needs. */
export interface EndpointDocument {
  readonly tag: 'Orders' | 'Payments' | 'Products' | 'Reservations' | 'Service';
  readonly summary: string;
  readonly description: string;
  /** Successful answers by status. */
  readonly answers: Answers;
  /** Codes beyond those that follow from access, body and idempotency. */
  readonly problems?: readonly string[];
}

/** @typeParam Example names of the service's examples, which have the schema of each. */
export type Answers<Example extends string = string> = Readonly<
  Record<
    number,
    {
      readonly description: string;
      readonly example: Example;
      readonly headers?: readonly AnswerHeader[];
      /** `application/json` if absent. */
      readonly contentType?: string;
    }
  >
>;

export type RequestHeader =
  | 'Prefer'
  | 'If-Match'
  | 'If-None-Match'
  | 'X-Allow-Duplicate'
  | 'Origin';
export type AnswerHeader = 'ETag' | 'Location' | 'Retry-After' | 'Content-Security-Policy';

export type CallMiddleware = middy.MiddlewareObj<Call, HttpAnswer>;

/** One concern of a route, and the middleware that sees to it. */
export interface Part {
  readonly middleware: CallMiddleware;
}

export interface Access extends Partial<Part> {
  readonly callers: 'public' | 'user' | 'service' | 'user-or-service';
  readonly scope?: string;
}

export interface Content<Schema extends z.ZodType> extends Part {
  readonly schema: Schema;
  readonly example: unknown;
}

export interface Idempotency extends Part {
  /** Runs the request once for its key, or just runs it if it brings none. */
  readonly answer: (
    call: Call,
    context: Context,
    respond: () => Promise<HttpAnswer>,
  ) => Promise<HttpAnswer>;
}

/** Tells routes that pages in a browser may call from those of services and the payment gateway. */
export function isForPages({ access, signature }: Endpoint): boolean {
  return access.callers !== 'service' && signature === undefined;
}
