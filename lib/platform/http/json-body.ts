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

const BYTE_ORDER_MARK = '\uFEFF';

/** @throws BadRequest that says what is wrong with the text. */
function parseJson(event: APIGatewayProxyEvent): unknown {
  const text = rawBodyOf(event).toString('utf8');
  if (text === '') throw new BadRequest('The body must be JSON; it is empty.');
  if (text.startsWith(BYTE_ORDER_MARK)) {
    throw new BadRequest('The body must be JSON; leave out the byte order mark before it.');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest('The body must be JSON.');
  }
}
