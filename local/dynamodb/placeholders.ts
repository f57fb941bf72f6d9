import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { AwsError } from '../aws/aws-error.ts';
import type { Item } from './values.ts';

/** What the `#names` and `:values` in a request's expressions stand for. */
export interface Placeholders {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

/** The members of a request that say it. */
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
 * What an operand of an expression stands for: a value, or the item's attribute of that name.
 * @throws AwsError ValidationException for a placeholder that is not defined.
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

/** @throws AwsError ValidationException for a placeholder that is not defined. */
export function givenValue(placeholder: string, { values }: Placeholders): AttributeValue {
  const value = values[placeholder];
  if (value === undefined) throw undefinedPlaceholder(placeholder);
  return value;
}

/** @throws AwsError ValidationException for a placeholder that is not defined. */
export function nameOf(operand: string, { names }: Placeholders): string {
  if (!operand.startsWith('#')) return operand;
  const name = names[operand];
  if (name === undefined) throw undefinedPlaceholder(operand);
  return name;
}

function undefinedPlaceholder(operand: string): AwsError {
  return new AwsError('ValidationException', `${operand} is used in an expression and not defined`);
}
