import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { invalidRequest } from './refusals.ts';
import { isReservedWord } from './reserved-words.ts';
import type { Item } from './values.ts';

/** Values of the `#names` and `:values` in a request's expressions. */
export interface Placeholders {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

/** Members of a request that define placeholders. */
export interface WithPlaceholders {
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue> | undefined;
}

export function placeholdersOf(request: WithPlaceholders): Placeholders {
  return {
    names: request.ExpressionAttributeNames ?? {},
    values: request.ExpressionAttributeValues ?? {},
  };
}

/**
 * Checks that a request defines the placeholders that its expressions use, and no others.
 * @throws AwsError ValidationException
 */
export function assertPlaceholdersMatch(
  request: WithPlaceholders,
  expressions: readonly (string | undefined)[],
): void {
  const used = new Set(expressions.flatMap((expression) => placeholdersIn(expression ?? '')));
  const { names, values } = placeholdersOf(request);
  for (const placeholder of used) {
    if (placeholder.startsWith('#')) nameOf(placeholder, { names, values });
    else givenValue(placeholder, { names, values });
  }
  for (const [member, defined] of [
    ['ExpressionAttributeNames', names],
    ['ExpressionAttributeValues', values],
  ] as const) {
    const unused = Object.keys(defined).filter((placeholder) => !used.has(placeholder));
    if (unused.length === 0) continue;
    throw invalidRequest(
      `Value provided in ${member} unused in expressions: keys: {${unused.join(', ')}}`,
    );
  }
}

/** Caches the placeholders of each expression: there are few expressions, and they recur. */
const known = new Map<string, readonly string[]>();

function placeholdersIn(expression: string): readonly string[] {
  let found = known.get(expression);
  if (found === undefined) {
    found = expression.match(/[#:]\w+/g) ?? [];
    known.set(expression, found);
  }
  return found;
}

/** @throws AwsError ValidationException if the name is a reserved word. */
export function assertNameIsFree(name: string): void {
  if (!isReservedWord(name)) return;
  throw invalidRequest(
    `Invalid expression: Attribute name is a reserved keyword; reserved keyword: ${name}`,
  );
}

/**
 * Value of an operand of an expression: a given value, or the item's attribute of that name.
 * @throws AwsError ValidationException if the placeholder is not defined.
 */
export function valueOf(
  operand: string,
  item: Item,
  placeholders: Placeholders,
): AttributeValue | undefined {
  return operand.startsWith(':')
    ? givenValue(operand, placeholders)
    : item[nameOf(operand, placeholders)];
}

/** @throws AwsError ValidationException if the placeholder is not defined. */
export function givenValue(placeholder: string, { values }: Placeholders): AttributeValue {
  const value = values[placeholder];
  if (value !== undefined) return value;
  throw invalidRequest(
    `Invalid expression: An expression attribute value used in expression is not defined; attribute value: ${placeholder}`,
  );
}

/** @throws AwsError ValidationException if the placeholder is not defined. */
export function nameOf(operand: string, { names }: Placeholders): string {
  if (!operand.startsWith('#')) return operand;
  const name = names[operand];
  if (name !== undefined) return name;
  throw invalidRequest(
    `Invalid expression: An expression attribute name used in the document path is not defined; attribute name: ${operand}`,
  );
}
