import type * as z from 'zod';

/** Vocabulary that one service adds to the API's document. Its endpoints refer to it by names. */
export interface ServiceExamples<Name extends string = string> {
  /** Groups of the service's routes. */
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** By name, as in the routes of these tags: `{thingId}`. */
  readonly pathParameters: Readonly<Record<string, PathParameter>>;
  /** Request headers that only this service's routes read, by name. */
  readonly requestHeaders?: Readonly<Record<string, RequestHeader>>;
  /** Bodies of successful answers, by the name that the declarations use. */
  readonly answers: Readonly<Record<Name, AnswerExample>>;
  /** Schemas of request bodies, by the name they have in the document. */
  readonly requests: Readonly<Record<string, z.ZodType>>;
  /** Schemas of answers and of parts of them worth a name. */
  readonly responses: Readonly<Record<string, z.ZodType>>;
}

interface PathParameter {
  readonly description: string;
  readonly example: string;
}

export interface RequestHeader extends PathParameter {
  /** JSON Schema of its value. */
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface AnswerExample {
  readonly schema: z.ZodType;
  readonly value: unknown;
}

/** An answer with this schema; the compiler checks the example against it. */
export function example<Schema extends z.ZodType>(
  schema: Schema,
  value: z.output<Schema>,
): AnswerExample {
  return { schema, value };
}
