import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod';
import { MAX_BODY_BYTES } from '../../limits.ts';
import { BadRequest, BodyTooLarge } from '../errors.ts';
import { type Call, definedEntries } from './call.ts';
import type { Content, Part } from './endpoint.ts';

/**
 * Reads a JSON body of this shape; anything else, or more than 64 KiB, is a 400.
 * @param example for the API's document; the compiler checks it against the schema.
 */
export function jsonBody<Schema extends z.ZodType>(
  schema: Schema,
  example: z.input<Schema>,
): Content<Schema> {
  return {
    schema,
    example,
    middleware: {
      before: ({ event: call }) => {
        call.body = validate(schema, parseJson(call.event), 'body');
      },
    },
  };
}

/**
 * Reads query parameters of this shape; others are a 400.
 * @param example for the API's document; the compiler checks it against the schema.
 */
export function queryParameters<Schema extends z.ZodType>(
  schema: Schema,
  example: z.input<Schema>,
): Content<Schema> {
  return {
    schema,
    example,
    middleware: {
      before: ({ event: call }) => {
        const given = definedEntries(call.event.queryStringParameters);
        call.query = validate(schema, given, 'query');
      },
    },
  };
}

/**
 * For callers without a token.
 * @param verify rejects unless the body's bytes, before they are parsed, prove the caller genuine.
 */
export function signedBody(
  verify: (rawBody: Buffer, header: Call['header']) => Promise<void>,
): Part {
  return {
    middleware: { before: ({ event: call }) => verify(rawBodyOf(call.event), call.header) },
  };
}

/**
 * The body's bytes as they were sent.
 * @throws BodyTooLarge
 */
function rawBodyOf(event: APIGatewayProxyEvent): Buffer {
  const raw = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (raw.byteLength > MAX_BODY_BYTES) {
    throw new BodyTooLarge(`Send at most ${String(MAX_BODY_BYTES)} bytes.`);
  }
  return raw;
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

/** @throws BadRequest that names every field at fault. */
function validate<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
  part: 'body' | 'query',
): z.infer<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({
    field: issue.path.map(String).join('.'),
    message: issue.message,
  }));
  const summary = errors
    .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
    .join('; ');
  throw new BadRequest(`Correct the ${part}: ${summary}.`, { details: { errors } });
}
