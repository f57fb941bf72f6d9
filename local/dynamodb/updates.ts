import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { assertNever } from '../../lib/platform/errors.ts';
import { assertNameIsFree, givenValue, nameOf, type Placeholders } from './placeholders.ts';
import { parsedOnce, type Tokens } from './tokens.ts';
import { type Item, sum } from './values.ts';

type Change =
  | { readonly kind: 'SET' | 'ADD'; readonly name: string; readonly value: string }
  | { readonly kind: 'REMOVE'; readonly name: string };

/**
 * Applies an update expression to an item: SET to values, ADD of numbers, REMOVE of attributes.
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
      return { kind: 'SET', name, value: value(tokens) };
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

/** Only given values are supported: no expression here uses another attribute or a function of one. */
function value(tokens: Tokens): string {
  const token = tokens.next();
  if (!token.startsWith(':')) throw tokens.unknown();
  return token;
}
