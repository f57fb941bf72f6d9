import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { numberBytes } from './numbers.ts';
import { type Item, utf8Bytes } from './values.ts';

/** Size of every list and map, in addition to its contents. Each element costs one byte more. */
const DOCUMENT_BYTES = 3;
const ELEMENT_BYTES = 1;

/** Stored items never change, so each is measured once. */
const measured = new WeakMap<Item, number>();

/**
 * Size of an item in bytes: the UTF-8 of its attributes' names, and their values. The rules are those of
 * "DynamoDB item sizes and formats" in the developer guide.
 */
export function itemBytes(item: Item): number {
  let bytes = measured.get(item);
  if (bytes === undefined) {
    bytes = attributesBytes(item);
    measured.set(item, bytes);
  }
  return bytes;
}

function attributesBytes(attributes: Item): number {
  return Object.entries(attributes).reduce(
    (sum, [name, value]) => sum + utf8Bytes(name) + valueBytes(value),
    0,
  );
}

function valueBytes({ S, N, L, M }: AttributeValue): number {
  if (S !== undefined) return utf8Bytes(S);
  if (N !== undefined) return numberBytes(N);
  if (L !== undefined) {
    return L.reduce((sum, value) => sum + valueBytes(value) + ELEMENT_BYTES, DOCUMENT_BYTES);
  }
  if (M !== undefined) {
    return DOCUMENT_BYTES + attributesBytes(M) + Object.keys(M).length * ELEMENT_BYTES;
  }
  // The value is a boolean or null: the store accepts no sets and no binary values.
  return 1;
}
