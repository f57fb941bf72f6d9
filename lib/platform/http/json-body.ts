import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod';
import { BadRequest } from '../errors.ts';
import type { Part } from './endpoint.ts';
import { rawBodyOf } from './raw-body.ts';
import { validate } from './validate.ts';

export interface JsonBody<Schema extends z.ZodType> extends Part<'body'> {
  readonly facts: { readonly body: Schema };
}

/** Reads a JSON body of this shape; anything else, or more than 64 KiB, is a 400. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema): JsonBody<Schema> {
  return {
    facts: { body: schema },
    middleware: {
      before: ({ event: call }) => {
        call.body = validate(schema, parseJson(call.event), 'body');
      },
    },
  };
}

function parseJson(event: APIGatewayProxyEvent): unknown {
  const raw = rawBodyOf(event);
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    throw new BadRequest('The body must be JSON.');
  }
}
