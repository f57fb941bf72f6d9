import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { assertNever } from '../../lib/platform/errors.ts';
import { assertNameIsFree, nameOf, type Placeholders, valueOf } from './placeholders.ts';
import { parsedOnce, type Tokens } from './tokens.ts';
import { compare, type Item, isEqual } from './values.ts';

const COMPARISONS = ['=', '<', '<=', '>', '>='] as const;

/** An attribute's name or a value, or a placeholder of either. */
type Operand = string;

type Condition =
  | { readonly kind: 'AND' | 'OR'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'EXISTS' | 'NOT_EXISTS'; readonly name: Operand }
  | { readonly kind: 'IN'; readonly left: Operand; readonly among: readonly Operand[] }
  | {
      readonly kind: (typeof COMPARISONS)[number];
      readonly left: Operand;
      readonly right: Operand;
    };

/**
 * True if an item fulfils a condition, key or filter expression. A missing item counts as one without attributes.
 * It supports the expressions of lib/, its idempotency layer and the operator's tools.
 * @throws UnsupportedRequest for all other expressions of DynamoDB.
 */
export function fulfils(item: Item, expression: string, placeholders: Placeholders): boolean {
  return evaluate(parseCondition(expression), item, placeholders);
}

/** Attribute names in a condition, with placeholders resolved. */
export function namesIn(expression: string, { names }: Placeholders): string[] {
  const collect = (condition: Condition): Operand[] => {
    if ('name' in condition) return [condition.name];
    if ('among' in condition) return [condition.left, ...condition.among];
    return typeof condition.left === 'string'
      ? [condition.left, condition.right as Operand]
      : [...collect(condition.left), ...collect(condition.right as Condition)];
  };
  return collect(parseCondition(expression))
    .filter((operand) => !operand.startsWith(':'))
    .map((operand) => names[operand] ?? operand);
}

/** Value that a condition requires of an attribute; undefined if it requires none. */
export function equalValueOf(
  name: string,
  expression: string,
  placeholders: Placeholders,
): AttributeValue | undefined {
  const find = (condition: Condition): AttributeValue | undefined => {
    if (condition.kind === 'AND') return find(condition.left) ?? find(condition.right);
    const isWanted = condition.kind === '=' && nameOf(condition.left, placeholders) === name;
    return isWanted ? valueOf(condition.right, {}, placeholders) : undefined;
  };
  return find(parseCondition(expression));
}

const parseCondition = parsedOnce(parseOr);

function parseOr(tokens: Tokens): Condition {
  const left = parseAnd(tokens);
  return tokens.take('OR') ? { kind: 'OR', left, right: parseOr(tokens) } : left;
}

function parseAnd(tokens: Tokens): Condition {
  const left = parseTerm(tokens);
  return tokens.take('AND') ? { kind: 'AND', left, right: parseAnd(tokens) } : left;
}

function parseTerm(tokens: Tokens): Condition {
  if (tokens.take('(')) {
    const inner = parseOr(tokens);
    tokens.expect(')');
    return inner;
  }
  if (tokens.take('ATTRIBUTE_EXISTS')) return { kind: 'EXISTS', name: parseArgument(tokens) };
  if (tokens.take('ATTRIBUTE_NOT_EXISTS')) {
    return { kind: 'NOT_EXISTS', name: parseArgument(tokens) };
  }
  const left = parseOperand(tokens);
  if (tokens.take('IN')) return { kind: 'IN', left, among: parseList(tokens) };
  const sign = tokens.next();
  const kind = COMPARISONS.find((comparison) => comparison === sign);
  if (kind === undefined) throw tokens.unknown();
  return { kind, left, right: parseOperand(tokens) };
}

function parseArgument(tokens: Tokens): Operand {
  tokens.expect('(');
  const name = parseOperand(tokens);
  tokens.expect(')');
  return name;
}

function parseList(tokens: Tokens): Operand[] {
  tokens.expect('(');
  const operands: Operand[] = [];
  do operands.push(parseOperand(tokens));
  while (tokens.take(','));
  tokens.expect(')');
  return operands;
}

/** A word before a parenthesis, such as `size`, is a function that this parser does not support. */
function parseOperand(tokens: Tokens): Operand {
  const operand = tokens.next();
  if (!/^[#:]?[A-Za-z_]/.test(operand) || /^(NOT|BETWEEN)$/i.test(operand)) throw tokens.unknown();
  if (tokens.isNext('(')) throw tokens.unknown();
  assertNameIsFree(operand);
  return operand;
}

function evaluate(condition: Condition, item: Item, placeholders: Placeholders): boolean {
  const value = (operand: Operand) => valueOf(operand, item, placeholders);
  switch (condition.kind) {
    case 'AND':
      return (
        evaluate(condition.left, item, placeholders) &&
        evaluate(condition.right, item, placeholders)
      );
    case 'OR':
      return (
        evaluate(condition.left, item, placeholders) ||
        evaluate(condition.right, item, placeholders)
      );
    case 'EXISTS':
      return value(condition.name) !== undefined;
    case 'NOT_EXISTS':
      return value(condition.name) === undefined;
    case 'IN':
      return condition.among.some((one) => holds('=', value(condition.left), value(one)));
    case '=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return holds(condition.kind, value(condition.left), value(condition.right));
    default:
      return assertNever(condition);
  }
}

/** A comparison with a missing value, or of two types, is false. */
function holds(
  comparison: (typeof COMPARISONS)[number],
  left: AttributeValue | undefined,
  right: AttributeValue | undefined,
): boolean {
  if (left === undefined || right === undefined) return false;
  if (comparison === '=') return isEqual(left, right);
  const order = compare(left, right);
  if (order === undefined) return false;
  switch (comparison) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return assertNever(comparison);
  }
}
