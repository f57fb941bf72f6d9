import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { UnknownToTheWorld } from '../aws/aws-error.ts';

/** One item as it crosses the wire. Never changed in place: every write stores a new one. */
export type Item = Readonly<Record<string, AttributeValue>>;

/** Compares two strings or two numbers; undefined where they are neither, or not of one type. */
export function compare(left: AttributeValue, right: AttributeValue): number | undefined {
  if (left.S !== undefined && right.S !== undefined) {
    return Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
  }
  if (left.N !== undefined && right.N !== undefined) return numberOf(left) - numberOf(right);
  return undefined;
}

/** @throws UnknownToTheWorld for documents, lists and sets, which nobody compares. */
export function isEqual(left: AttributeValue, right: AttributeValue): boolean {
  if (!isScalar(left) || !isScalar(right)) {
    throw new UnknownToTheWorld(`comparing ${JSON.stringify(left)} to ${JSON.stringify(right)}`);
  }
  if (left.BOOL !== undefined) return left.BOOL === right.BOOL;
  if (left.NULL !== undefined) return left.NULL === right.NULL;
  return compare(left, right) === 0;
}

/** @throws UnknownToTheWorld beyond the whole numbers that are exact here as they are in DynamoDB. */
export function sum(left: AttributeValue, right: AttributeValue): AttributeValue {
  const total = numberOf(left) + numberOf(right);
  if (Number.isSafeInteger(total)) return { N: String(total) };
  throw new UnknownToTheWorld(`adding ${JSON.stringify(left)} and ${JSON.stringify(right)}`);
}

function numberOf({ N }: AttributeValue): number {
  return Number(N);
}

function isScalar({ S, N, BOOL, NULL }: AttributeValue): boolean {
  return [S, N, BOOL, NULL].some((value) => value !== undefined);
}

/** Items never change, so each is unwrapped once. */
const unwrapped = new WeakMap<Item, Readonly<Record<string, unknown>>>();

/** An item without the wire's wrapping. */
export function plain(item: Item): Readonly<Record<string, unknown>> {
  let result = unwrapped.get(item);
  if (result === undefined) {
    result = unwrapMap(item);
    unwrapped.set(item, result);
  }
  return result;
}

function unwrapMap(map: Item): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, unwrap(value)]));
}

function unwrap(value: AttributeValue): unknown {
  if (value.NULL === true) return null;
  if (value.N !== undefined) return numberOf(value);
  if (value.L !== undefined) return value.L.map(unwrap);
  if (value.M !== undefined) return unwrapMap(value.M);
  const scalar = value.S ?? value.BOOL;
  if (scalar === undefined) throw new UnknownToTheWorld(`the value ${JSON.stringify(value)}`);
  return scalar;
}
