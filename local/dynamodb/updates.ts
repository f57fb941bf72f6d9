import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { assertNever } from '../../lib/platform/errors.ts';
import { assertNameIsFree, givenValue, nameOf, type Placeholders } from './placeholders.ts';
import { invalidRequest } from './refusals.ts';
import { parsedOnce, type Tokens } from './tokens.ts';
import { type Item, sum } from './values.ts';

type Change =
  | { readonly kind: 'SET' | 'ADD'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'APPEND';
      readonly name: string;
      readonly list: string;
      readonly value: string;
    }
  | { readonly kind: 'REMOVE'; readonly name: string };

/**
 * Applies an update expression to an item: SET to values and by `list_append`, ADD of numbers, REMOVE of attributes.
 * @throws UnsupportedRequest for everything else that DynamoDB understands.
 */
export function updated(item: Item, expression: string, placeholders: Placeholders): Item {
  const result: Record<string, AttributeValue> = { ...item };
  for (const change of parseUpdate(expression)) {
    const name = nameOf(change.name, placeholders);
    switch (change.kind) {
      case 'SET':
        result[name] = givenValue(change.value, placeholders);
        break;
      case 'APPEND': {
        const list = item[nameOf(change.list, placeholders)];
        result[name] = appended(list, givenValue(change.value, placeholders));
        break;
      }
      case 'ADD':
        result[name] = sum(item[name] ?? { N: '0' }, givenValue(change.value, placeholders));
        break;
      case 'REMOVE':
        Reflect.deleteProperty(result, name);
        break;
      default:
        assertNever(change);
    }
  }
  return result;
}

const parseUpdate = parsedOnce((tokens): readonly Change[] => {
  const changes: Change[] = [];
  while (!tokens.isAtEnd) {
    const parseChange = clause(tokens);
    do changes.push(parseChange());
    while (tokens.take(','));
  }
  return changes;
});

function clause(tokens: Tokens): () => Change {
  if (tokens.take('SET')) {
    return () => {
      const name = attribute(tokens);
      tokens.expect('=');
      if (!tokens.take('LIST_APPEND')) return { kind: 'SET', name, value: value(tokens) };
      tokens.expect('(');
      const list = attribute(tokens);
      tokens.expect(',');
      const append: Change = { kind: 'APPEND', name, list, value: value(tokens) };
      tokens.expect(')');
      return append;
    };
  }
  if (tokens.take('ADD'))
    return () => ({ kind: 'ADD', name: attribute(tokens), value: value(tokens) });
  if (tokens.take('REMOVE')) return () => ({ kind: 'REMOVE', name: attribute(tokens) });
  throw tokens.unknown();
}

function attribute(tokens: Tokens): string {
  const name = tokens.next();
  assertNameIsFree(name);
  return name;
}

/** Only given values are supported: no expression here uses another attribute outside `list_append`. */
function value(tokens: Tokens): string {
  const token = tokens.next();
  if (!token.startsWith(':')) throw tokens.unknown();
  return token;
}

/** @throws AwsError ValidationException if one is no list. */
function appended(list: AttributeValue | undefined, more: AttributeValue): AttributeValue {
  if (more.L === undefined) {
    const [type = ''] = Object.keys(more);
    throw invalidRequest(
      'Invalid UpdateExpression: Incorrect operand type for operator or function; ' +
        `operator or function: list_append, operand type: ${type}`,
    );
  }
  if (list === undefined) {
    throw invalidRequest(
      'The provided expression refers to an attribute that does not exist in the item',
    );
  }
  if (list.L === undefined) {
    throw invalidRequest('An operand in the update expression has an incorrect data type');
  }
  return { L: [...list.L, ...more.L] };
}
