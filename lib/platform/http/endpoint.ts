import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import type * as z from 'zod';

/**
 * Declaration of one route. Its Lambda, its entry in the API's document and its tests are made from it.
 * A function carries only the code of the parts that its own file imports.
 */
export interface Endpoint<
  BodySchema extends z.ZodType = z.ZodType,
  QuerySchema extends z.ZodType = z.ZodType,
  Header extends string = string,
> {
  /** Method and path template, as in the OpenAPI document: `GET /thing/{thingId}`. */
  readonly route: string;
  readonly access: Access;
  /**
   * For callers without a token, who prove that they sent exactly this body: rejects unless its bytes, before
   * they are parsed, prove the caller genuine.
   */
  readonly signature?: (rawBody: Buffer, header: Call['header']) => Promise<void>;
  /** JSON of this shape; anything else, or more than 64 KiB, is a 400. */
  readonly body?: BodyContent<BodySchema>;
  /** Query parameters of this shape; others are a 400. */
  readonly query?: Content<QuerySchema>;
  /** Honours `Idempotency-Key`. */
  readonly idempotency?: Idempotency;
  /** Further request headers that the function reads; it can read no others. */
  readonly headers?: readonly Header[];
  /** Absent from the routes that the document leaves out: preflights, unknown paths, those of services. */
  readonly document?: EndpointDocument;
}

/** Part of the declaration that only the API's document needs. */
export interface EndpointDocument {
  /** One of those that a service describes. */
  readonly tag: string;
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

export type AnswerHeader = 'ETag' | 'Location' | 'Retry-After' | 'Content-Security-Policy';

export interface Access {
  readonly callers: 'public' | 'user' | 'service';
  readonly scope?: string;
  /** Header of the token, if it is not `Authorization`, which holds a signature at a function URL. */
  readonly header?: string;
  /**
   * Finds the owner of a token. Absent from public routes, which ignore a token that is sent.
   * @throws Unauthenticated, MissingScope
   */
  readonly authenticate?: (token: string) => Promise<User>;
  /** Counts refused access among the errors of the route. */
  readonly countRefused?: (error: unknown, call: Call, access: Access) => void;
}

/** The compiler checks the example, which is for the API's document, against the schema. */
export interface Content<Schema extends z.ZodType> {
  readonly schema: Schema;
  readonly example: z.input<Schema>;
}

export interface BodyContent<Schema extends z.ZodType> extends Content<Schema> {
  /** A body of any other form is undefined, instead of refused. */
  readonly isLenient?: true;
}

export interface Idempotency {
  /** True if answers with this status are kept for the key, and replayed. */
  readonly keeps: (status: number) => boolean;
  /** @throws BadRequest if the key has another form. */
  readonly keyOf: (call: Call) => string | undefined;
  /** Runs `produce` once for the request's key. */
  readonly answer: (
    request: KeyedRequest,
    context: Context,
    produce: () => Promise<HttpAnswer>,
  ) => Promise<HttpAnswer>;
  /** Counts refused duplicates among the errors of the route, with a key or without. */
  readonly countDuplicate: (error: unknown, call: Call) => void;
}

export interface KeyedRequest {
  readonly route: string;
  readonly userId: string;
  readonly key: string;
  /** Path parameters and body: a repeated key must come with the same ones. */
  readonly content: unknown;
}

/** Tells routes that pages in a browser may call from those of services and of callers who sign. */
export function isForPages({ access, signature }: Endpoint): boolean {
  return access.callers !== 'service' && signature === undefined;
}

export interface User {
  readonly userId: string;
  readonly scopes: ReadonlySet<string>;
}

/** Services and callers of public routes. */
export const NOBODY: User = { userId: '', scopes: new Set() };

/** One request, as far as it can be read before it is checked. */
export interface Call {
  readonly event: APIGatewayProxyEvent;
  readonly route: string;
  /** The path as the caller sent it: below the stage (`/prod/…`), or below a custom domain's mapping. */
  readonly instance: string;
  /** Part of that path before the route's own: `/prod`, mostly nothing. */
  readonly basePath: string;
  /** Looks a request header up without regard to case. */
  readonly header: (name: string) => string | undefined;
  readonly correlationId: string;
  /** API Gateway's id of the request, which its access log has; empty if there is none. */
  readonly requestId: string;
  readonly sourceIp: string | undefined;
}

/** Response of a use case, before it is made an answer. */
export interface ApiResponse {
  readonly status: number;
  /** Undefined for an answer without content. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a body that is text already and is sent as it is; all others are sent as JSON. */
  readonly contentType?: string;
}

/** A response as API Gateway takes it; stored as it is for an idempotency key. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
