import type * as z from 'zod';
import { definedEntries } from './call.ts';
import type { Part } from './endpoint.ts';
import { validate } from './validate.ts';

export interface QueryParameters<Schema extends z.ZodType> extends Part<'query'> {
  readonly facts: { readonly query: Schema };
}

/** Reads query parameters of this shape; others are a 400. */
export function queryParameters<Schema extends z.ZodType>(schema: Schema): QueryParameters<Schema> {
  return {
    facts: { query: schema },
    middleware: {
      before: ({ event: call }) => {
        const given = definedEntries(call.event.queryStringParameters);
        call.query = validate(schema, given, 'query');
      },
    },
  };
}
