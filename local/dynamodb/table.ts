import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { UnsupportedRequest } from '../aws/aws-error.ts';
import { LIMITS } from './limits.ts';
import { invalidItem, invalidRequest } from './refusals.ts';
import { SortedItems } from './sorted-items.ts';
import { asEncoded, compare, type Item, utf8Bytes } from './values.ts';

/** Members of a table's definition that decide its answers. */
export type TableDefinition = Pick<
  CreateTableCommandInput,
  'TableName' | 'AttributeDefinitions' | 'KeySchema' | 'GlobalSecondaryIndexes'
>;

/** A table by its own key, or one of its indexes. Both are queried in the same way. */
export interface View {
  readonly hashKey: string;
  readonly rangeKey: string | undefined;
  /** Attributes that make up an entry's key, which a page can start after. */
  readonly keyNames: readonly string[];
  /** Attributes in its answers; undefined: all. */
  readonly projected: readonly string[] | undefined;
  readonly isIndex: boolean;
}

/** Items of one table with a simple key, and its global secondary indexes. */
export class Table {
  readonly name: string;
  readonly #types: ReadonlyMap<string, string>;
  readonly #views: ReadonlyMap<string | undefined, View>;
  readonly #hashKey: string;
  readonly #items = new Map<string, Item>();
  readonly #all: SortedItems;
  /** Entries of each index, by the value of its hash key. */
  readonly #entries = new Map<View, Map<string, SortedItems>>();

  /** @throws UnsupportedRequest if the table has a sort key. */
  constructor(definition: TableDefinition) {
    const own = keysOf(definition.KeySchema);
    if (own.rangeKey !== undefined) throw new UnsupportedRequest('a table with a sort key');
    this.name = definition.TableName ?? '';
    this.#hashKey = own.hashKey;
    this.#types = new Map(
      (definition.AttributeDefinitions ?? []).map(({ AttributeName, AttributeType }) => [
        AttributeName ?? '',
        AttributeType ?? '',
      ]),
    );
    const ownView = { ...own, keyNames: [own.hashKey], projected: undefined, isIndex: false };
    const indexes = definition.GlobalSecondaryIndexes ?? [];
    this.#views = new Map<string | undefined, View>([
      [undefined, ownView],
      ...indexes.map(
        (index) => [index.IndexName, viewOf(index, own.hashKey)] as [string | undefined, View],
      ),
    ]);
    this.#all = this.#sorted(ownView);
    for (const view of this.#indexes()) this.#entries.set(view, new Map());
  }

  get size(): number {
    return this.#items.size;
  }

  /** All stored items, in the order of first writes. */
  items(): IterableIterator<Item> {
    return this.#items.values();
  }

  /** @throws AwsError ValidationException if the key is no key of this table. */
  get(key: Item): Item | undefined {
    this.assertKey(key);
    return this.find(key);
  }

  /** Finds the item with a key that was checked before; undefined for a key that no item can have. */
  find(key: Item): Item | undefined {
    return this.#items.get(this.idOf(key));
  }

  /** Replaces the item that has this key, or deletes it. */
  store(key: Item, item: Item | undefined): void {
    const id = this.idOf(key);
    const before = this.#items.get(id);
    if (before !== undefined) this.#unindex(before);
    if (item === undefined) {
      this.#items.delete(id);
      return;
    }
    this.#items.set(id, item);
    this.#index(item);
  }

  keyOf(item: Item): Item {
    const value = item[this.#hashKey];
    return value === undefined ? {} : { [this.#hashKey]: value };
  }

  /** Id of an item within its table. @param key one that `assertKey` accepts. */
  idOf(key: Item): string {
    return asEncoded(key[this.#hashKey]?.S ?? '');
  }

  /** @throws AwsError ValidationException as `assertKeyGiven` and `assertKeyFits` do. */
  assertKey(key: Item): void {
    this.assertKeyGiven(key);
    this.assertKeyFits(key);
  }

  /** @throws AwsError ValidationException if the key is missing or empty, or has other attributes. */
  assertKeyGiven(key: Item): void {
    const value = key[this.#hashKey];
    if (Object.keys(key).length > 1) {
      throw invalidRequest('The number of conditions on the keys is invalid');
    }
    if (value === undefined) throw invalidRequest('One of the required keys was not given a value');
    if (value.S === '') {
      throw invalidRequest(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${this.#hashKey}`,
      );
    }
  }

  /** @throws ItemRefusal ValidationException if the key is of another type or too long. */
  assertKeyFits(key: Item): void {
    const value = key[this.#hashKey]?.S;
    if (value === undefined) {
      throw invalidItem('One or more parameter values were invalid: Type mismatch for key');
    }
    if (utf8Bytes(value) > LIMITS.partitionKeyBytes) {
      throw invalidItem(
        'Hash primary key values must be under 2048 bytes, and range primary key values must be under 1024 bytes',
      );
    }
  }

  /** @throws AwsError ValidationException if an index's key is empty or too long. */
  assertIndexKeysGiven(item: Item): void {
    for (const [indexName, view] of this.#views) {
      if (!view.isIndex) continue;
      for (const name of [view.hashKey, view.rangeKey ?? '']) {
        const text = item[name]?.S;
        if (text === undefined) continue;
        if (text === '') {
          throw invalidRequest(
            `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ${String(indexName)}, IndexKey: ${name}`,
          );
        }
        const limit = name === view.hashKey ? LIMITS.partitionKeyBytes : LIMITS.sortKeyBytes;
        if (utf8Bytes(text) > limit) {
          throw invalidRequest('One or more parameter values were invalid: Size limit exceeded');
        }
      }
    }
  }

  /** @throws ItemRefusal ValidationException if an index's key is of another type. */
  assertIndexKeysFit(item: Item): void {
    for (const [name, type] of this.#types) {
      const value = item[name];
      if (name !== this.#hashKey && value !== undefined && !(type in value)) {
        throw invalidItem('One or more parameter values were invalid: Type mismatch for Index Key');
      }
    }
  }

  /** @throws AwsError ValidationException if there is no such index. */
  view(indexName: string | undefined): View {
    const view = this.#views.get(indexName);
    if (view !== undefined) return view;
    throw invalidRequest(`The table does not have the specified index: ${String(indexName)}`);
  }

  /** All items in the order of their keys. DynamoDB's own order means nothing. */
  scan(start: Item | undefined): Iterable<Item> {
    return this.#all.from(start, true);
  }

  /** Entries of a view with one hash key, in the view's order. */
  entries(view: View, hash: Item, start: Item | undefined, isForward: boolean): Iterable<Item> {
    if (view.isIndex) {
      const found = this.#entries.get(view)?.get(hashOf(view, hash));
      return found?.from(start, isForward) ?? [];
    }
    const item = this.#items.get(this.idOf(hash));
    return item === undefined || start !== undefined ? [] : [item];
  }

  /** All entries of an index, in no particular order. */
  *everyEntry(view: View): Generator<Item> {
    for (const sorted of this.#entries.get(view)?.values() ?? [])
      yield* sorted.from(undefined, true);
  }

  #indexes(): View[] {
    return [...this.#views.values()].filter(({ isIndex }) => isIndex);
  }

  #index(item: Item): void {
    this.#all.add(item);
    for (const view of this.#indexes()) {
      if (!isEntry(view, item)) continue;
      const entries = this.#entries.get(view);
      const hash = hashOf(view, item);
      const sorted = entries?.get(hash) ?? this.#sorted(view);
      entries?.set(hash, sorted);
      sorted.add(item);
    }
  }

  #unindex(item: Item): void {
    this.#all.remove(item);
    for (const view of this.#indexes()) {
      if (isEntry(view, item)) this.#entries.get(view)?.get(hashOf(view, item))?.remove(item);
    }
  }

  /** Sorts by the sort key, and equal ones by the table's key. */
  #sorted({ rangeKey }: View): SortedItems {
    return new SortedItems(
      (left, right) =>
        (rangeKey === undefined ? 0 : orderBy(rangeKey, left, right)) ||
        orderBy(this.#hashKey, left, right),
    );
  }
}

function viewOf(
  {
    KeySchema,
    Projection,
  }: Pick<
    NonNullable<TableDefinition['GlobalSecondaryIndexes']>[number],
    'KeySchema' | 'Projection'
  >,
  tableKey: string,
): View {
  const own = keysOf(KeySchema);
  const keyNames = [own.hashKey, own.rangeKey, tableKey].filter((name) => name !== undefined);
  const projected =
    Projection?.ProjectionType === 'ALL'
      ? undefined
      : [...keyNames, ...(Projection?.NonKeyAttributes ?? [])];
  return { ...own, keyNames, projected, isIndex: true };
}

function keysOf(schema: TableDefinition['KeySchema']) {
  const nameOf = (type: string) => schema?.find(({ KeyType }) => KeyType === type)?.AttributeName;
  return { hashKey: nameOf('HASH') ?? '', rangeKey: nameOf('RANGE') };
}

/** True if the item has the index's keys. A sparse index leaves out all others. */
function isEntry({ keyNames }: View, item: Item): boolean {
  return keyNames.every((name) => item[name] !== undefined);
}

function hashOf({ hashKey }: View, item: Item): string {
  const { S: text, N: number } = item[hashKey] ?? {};
  return text === undefined ? `N ${String(number)}` : `S ${asEncoded(text)}`;
}

function orderBy(name: string, left: Item, right: Item): number {
  const [a, b] = [left[name], right[name]];
  return a === undefined || b === undefined ? 0 : (compare(a, b) ?? 0);
}
