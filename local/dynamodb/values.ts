import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { AwsError, UnsupportedRequest } from '../aws/aws-error.ts';
import { normalNumber } from './numbers.ts';
import { invalidRequest } from './refusals.ts';

/** One item in the wire format. It is never changed in place: every write stores a new one. */
export type Item = Readonly<Record<string, AttributeValue>>;

const SURROGATE = /[\ud800-\udfff]/;

/**
 * The text as its UTF-8 reads. A lone surrogate has no UTF-8. DynamoDB Local encodes it as "?", so keys that
 * differ in nothing else are one key. Values that are no key stay unchanged.
 */
export function asEncoded(text: string): string {
  return text.isWellFormed() ? text : text.replace(/\p{Surrogate}/gu, '?');
}

/** Length in bytes of UTF-8. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(asEncoded(text));
}

/** Compares two strings or two numbers; undefined if they are neither, or of different types. */
export function compare(left: AttributeValue, right: AttributeValue): number | undefined {
  if (left.S !== undefined && right.S !== undefined) return compareText(left.S, right.S);
  if (left.N !== undefined && right.N !== undefined) return numberOf(left) - numberOf(right);
  return undefined;
}

/** Compares by bytes of UTF-8. That is the order of JavaScript's strings unless they hold surrogates. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  if (SURROGATE.test(left) || SURROGATE.test(right)) {
    return Buffer.compare(Buffer.from(asEncoded(left)), Buffer.from(asEncoded(right)));
  }
  return left < right ? -1 : 1;
}

/** @throws UnsupportedRequest for maps, lists and sets, which no expression here compares. */
export function isEqual(left: AttributeValue, right: AttributeValue): boolean {
  if (!isScalar(left) || !isScalar(right)) {
    throw new UnsupportedRequest(`comparing ${JSON.stringify(left)} to ${JSON.stringify(right)}`);
  }
  if (left.BOOL !== undefined) return left.BOOL === right.BOOL;
  if (left.NULL !== undefined) return left.NULL === right.NULL;
  return compare(left, right) === 0;
}

/**
 * Adds two numbers.
 * @throws AwsError ValidationException if one is not a number.
 * @throws UnsupportedRequest if a value is not an exact integer in JavaScript.
 */
export function sum(left: AttributeValue, right: AttributeValue): AttributeValue {
  if (left.N === undefined || right.N === undefined) {
    throw invalidRequest('An operand in the update expression has an incorrect data type');
  }
  const total = numberOf(left) + numberOf(right);
  if (Number.isSafeInteger(total)) return { N: String(total) };
  throw new UnsupportedRequest(`adding ${JSON.stringify(left)} and ${JSON.stringify(right)}`);
}

/**
 * The item as it is stored, with every number in normal form.
 * @throws AwsError ValidationException for a value that DynamoDB refuses, and InternalFailure for an attribute's
 * name with a lone surrogate, as DynamoDB Local does.
 * @throws UnsupportedRequest for sets and binary values, which nobody stores.
 */
export function acceptedItem(item: Item): Item {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => {
      if (!name.isWellFormed()) {
        throw new AwsError('InternalFailure', 'An attribute name has a lone surrogate');
      }
      return [name, acceptedValue(value)];
    }),
  );
}

function acceptedValue(value: AttributeValue): AttributeValue {
  if (value.S !== undefined || value.BOOL !== undefined) return value;
  if (value.N !== undefined) return { N: normalNumber(value.N) };
  if (value.M !== undefined) return { M: acceptedItem(value.M) };
  if (value.L !== undefined) return { L: value.L.map(acceptedValue) };
  if (value.NULL === true) return value;
  if (value.NULL === false) {
    throw invalidRequest(
      'One or more parameter values were invalid: Null attribute value types must have the value of true',
    );
  }
  throw new UnsupportedRequest(`the value ${JSON.stringify(value)}`);
}

function numberOf({ N }: AttributeValue): number {
  return Number(N);
}

function isScalar({ S, N, BOOL, NULL }: AttributeValue): boolean {
  return [S, N, BOOL, NULL].some((value) => value !== undefined);
}

/** Items never change, so each is unwrapped once. */
const unwrapped = new WeakMap<Item, Readonly<Record<string, unknown>>>();

/** The item without the wire format's types. */
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
  if (scalar === undefined) throw new UnsupportedRequest(`the value ${JSON.stringify(value)}`);
  return scalar;
}
