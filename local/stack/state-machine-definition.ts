import { type IntrinsicValues, resolveIntrinsics } from './intrinsics.ts';

export class UnknownPlaceholderError extends Error {
  override readonly name = 'UnknownPlaceholderError';

  constructor(placeholder: string) {
    super(`The state machine's definition has ${placeholder}, for which there is no value.`);
  }
}

/**
 * Fills in a definition's placeholders and intrinsic functions. A string that is only `"${param:NAME}"` or
 * `"${self:custom.NAME}"` becomes the parameter with its type, so that a time-out stays a number.
 * @throws UnknownPlaceholderError for any other text that begins with `${`.
 */
export function renderStateMachine(
  definition: unknown,
  parameters: Readonly<Record<string, unknown>>,
  values: IntrinsicValues,
): object {
  return Object(resolveIntrinsics(fillIn(definition, parameters), values)) as object;
}

function fillIn(part: unknown, parameters: Readonly<Record<string, unknown>>): unknown {
  if (typeof part === 'string') return fillInString(part, parameters);
  if (Array.isArray(part)) return part.map((item) => fillIn(item, parameters));
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, fillIn(value, parameters)]),
  );
}

function fillInString(text: string, parameters: Readonly<Record<string, unknown>>): unknown {
  const placeholder = /\$\{[^}]*\}?/.exec(text)?.[0];
  if (placeholder === undefined) return text;
  const name = /^\$\{(?:param:|self:custom\.)(\w+)\}$/.exec(text)?.[1];
  const value = name === undefined ? undefined : parameters[name];
  if (value === undefined) throw new UnknownPlaceholderError(placeholder);
  return value;
}
