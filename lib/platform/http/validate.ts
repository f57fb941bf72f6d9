import type * as z from 'zod';
import { BadRequest } from '../errors.ts';

/** @throws BadRequest that names every field at fault. */
export function validate<Schema extends z.ZodType>(
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
