import type middy from '@middy/core';
import type * as z from 'zod';
import type { Call, HttpAnswer } from './call.ts';

/** Facts of one route, as its function was made: the API's document is held against them. */
export interface Endpoint<
  BodySchema extends z.ZodType = z.ZodType,
  QuerySchema extends z.ZodType = z.ZodType,
> {
  /** Method and path template, as in the OpenAPI document: `POST /order`. */
  readonly route: string;
  readonly access: 'public' | 'user' | 'service' | 'user-or-service';
  readonly scope?: string;
  readonly body?: BodySchema;
  readonly query?: QuerySchema;
  /** `Idempotency-Key` is honoured. */
  readonly idempotent?: true;
  /** Callers without a token prove that they sent exactly this body. */
  readonly signed?: true;
}

export type CallMiddleware = middy.MiddlewareObj<Call, HttpAnswer>;

/** One concern of a route: its facts, and the middleware that sees to it. */
export interface Part<Facts extends keyof Endpoint> {
  readonly facts: Readonly<Pick<Endpoint, Facts>>;
  readonly middleware: CallMiddleware;
}
