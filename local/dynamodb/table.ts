import type { AttributeValue, CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { AwsError, UnknownToTheWorld } from '../aws/aws-error.ts';
import { compare, type Item } from './values.ts';

/** The members of a table's definition that decide what it answers. */
export type TableDefinition = Pick<
  CreateTableCommandInput,
  'TableName' | 'AttributeDefinitions' | 'KeySchema' | 'GlobalSecondaryIndexes'
>;

/** A table by its own key, or one of its indexes: both are asked in the same way. */
export interface View {
  readonly hashKey: string;
  readonly rangeKey: string | undefined;
  /** The attributes that tell an entry's place, and so make a key to start after. */
  readonly keyNames: readonly string[];
  /** The attributes that it answers with; all where undefined. */
  readonly projected: readonly string[] | undefined;
}

/** The items of one table whose key is one attribute, and its global secondary indexes. */
export class Table {
  readonly name: string;
  readonly #types: ReadonlyMap<string, string>;
  readonly #views: ReadonlyMap<string | undefined, View>;
  readonly #hashKey: string;
  readonly #items = new Map<string, Item>();

  /** @throws UnknownToTheWorld for a table with a sort key. */
  constructor(definition: TableDefinition) {
    const own = keysOf(definition.KeySchema);
    if (own.rangeKey !== undefined) throw new UnknownToTheWorld('a table with a sort key');
    this.name = definition.TableName ?? '';
    this.#hashKey = own.hashKey;
    this.#types = new Map(
      (definition.AttributeDefinitions ?? []).map(({ AttributeName, AttributeType }) => [
        AttributeName ?? '',
        AttributeType ?? '',
      ]),
    );
    const indexes = definition.GlobalSecondaryIndexes ?? [];
    this.#views = new Map<string | undefined, View>([
      [undefined, { ...own, keyNames: [own.hashKey], projected: undefined }],
      ...indexes.map(
        (index) => [index.IndexName, viewOf(index, own.hashKey)] as [string | undefined, View],
      ),
    ]);
  }

  /** Every item as it is stored, in the order of first writes. */
  items(): IterableIterator<Item> {
    return this.#items.values();
  }

  /** @throws AwsError ValidationException where that is no key of this table. */
  get(key: Item): Item | undefined {
    if (Object.keys(key).length !== 1) throw badKey(this.#hashKey);
    return this.#items.get(this.idOf(key));
  }

  /**
   * Puts the item in the place of what has its key, or deletes that.
   * @throws AwsError ValidationException as `check` does.
   */
  store(key: Item, item: Item | undefined): void {
    this.check(item);
    if (item === undefined) this.#items.delete(this.idOf(key));
    else this.#items.set(this.idOf(item), item);
  }

  /** @throws AwsError ValidationException where a key's attribute is missing or of another type. */
  check(item: Item | undefined): void {
    if (item === undefined) return;
    this.idOf(item);
    for (const [name, type] of this.#types) {
      const value = item[name];
      if (value !== undefined && !(type in value)) throw badKey(name);
    }
  }

  keyOf(item: Item): Item {
    const value = item[this.#hashKey];
    return value === undefined ? {} : { [this.#hashKey]: value };
  }

  /**
   * What identifies the item within its table.
   * @throws AwsError ValidationException where it has none.
   */
  idOf(item: Item): string {
    const id = item[this.#hashKey]?.S;
    if (id === undefined || id === '') throw badKey(this.#hashKey);
    return id;
  }

  /** @throws AwsError ValidationException where there is no such index. */
  view(indexName: string | undefined): View {
    const view = this.#views.get(indexName);
    if (view !== undefined) return view;
    throw new AwsError(
      'ValidationException',
      `The table does not have the specified index: ${String(indexName)}`,
    );
  }

  /** The items that a view holds, in its order; a sparse index leaves out what lacks its keys. */
  entries(view: View): Item[] {
    return [...this.#items.values()]
      .filter((item) => view.keyNames.every((name) => item[name] !== undefined))
      .sort((left, right) => this.order(view, left, right));
  }

  /** Where two entries, or keys, of a view stand to each other; equal sort keys by the table's key. */
  order({ rangeKey }: View, left: Item, right: Item): number {
    return (
      (rangeKey === undefined ? 0 : orderBy(rangeKey, left, right)) ||
      orderBy(this.#hashKey, left, right)
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
  return { ...own, keyNames, projected };
}

function keysOf(schema: TableDefinition['KeySchema']) {
  const nameOf = (type: string) => schema?.find(({ KeyType }) => KeyType === type)?.AttributeName;
  return { hashKey: nameOf('HASH') ?? '', rangeKey: nameOf('RANGE') };
}

function orderBy(name: string, left: Item, right: Item): number {
  const [a, b]: (AttributeValue | undefined)[] = [left[name], right[name]];
  return a === undefined || b === undefined ? 0 : (compare(a, b) ?? 0);
}

function badKey(name: string): AwsError {
  return new AwsError(
    'ValidationException',
    `One or more parameter values were invalid: the key attribute ${name}`,
  );
}
