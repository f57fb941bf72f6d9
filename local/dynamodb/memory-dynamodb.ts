import type {
  BatchGetItemCommandInput,
  DeleteItemCommandInput,
  GetItemCommandInput,
  PutItemCommandInput,
  QueryCommandInput,
  ScanCommandInput,
  TransactWriteItem,
  TransactWriteItemsCommandInput,
  UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { AwsError, onlyKnown, UnknownToTheWorld } from '../aws/aws-error.ts';
import { fulfils } from './conditions.ts';
import { query, scan } from './pages.ts';
import { placeholdersOf, type WithPlaceholders } from './placeholders.ts';
import { Table, type TableDefinition } from './table.ts';
import { updated } from './updates.ts';
import type { Item } from './values.ts';

/** A condition and what belongs to it, as every kind of write has them. */
interface Conditional extends WithPlaceholders {
  readonly TableName: string | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

/** One write as it is asked for. */
interface Write {
  readonly table: Table;
  readonly key: Item;
  readonly condition: Conditional;
  /** What is to be stored if the condition holds; undefined deletes. */
  readonly next: (existing: Item | undefined) => Item | undefined;
}

/** One item's write that was carried out, alone or with others in one transaction. */
export interface CarriedOut {
  readonly table: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  /** Whether its condition would have let it through, had this been stored. */
  readonly isAllowedOver: (stored: Item | undefined) => boolean;
}

/** Told of every write, with all that was written in the same transaction. */
export type WriteListener = (writes: readonly CarriedOut[]) => void;

type Operation = (request: never) => object;

const PLACEHOLDERS = ['ExpressionAttributeNames', 'ExpressionAttributeValues'] as const;
const CONDITIONAL = [
  'TableName',
  'ConditionExpression',
  'ReturnValuesOnConditionCheckFailure',
  ...PLACEHOLDERS,
] as const;
const MOST_KEYS_IN_A_BATCH = 100;

/**
 * DynamoDB in memory, as far as this project uses it; every operation is decided at once, so every
 * read is consistent and indexes follow without delay. Throttling and conflicts of transactions are
 * the interceptor's to make up: here nothing ever stands in the way.
 */
export class MemoryDynamoDb {
  readonly #tables = new Map<string, Table>();
  readonly #onWrite: WriteListener;

  constructor(onWrite: WriteListener = () => undefined) {
    this.#onWrite = onWrite;
  }

  /** The operations by their name in X-Amz-Target. */
  readonly operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
    ['GetItem', (request: GetItemCommandInput) => this.#getItem(request)],
    ['BatchGetItem', (request: BatchGetItemCommandInput) => this.#batchGetItem(request)],
    ['PutItem', (request: PutItemCommandInput) => this.#writeOne(this.#put(request))],
    ['UpdateItem', (request: UpdateItemCommandInput) => this.#updateItem(request)],
    ['DeleteItem', (request: DeleteItemCommandInput) => this.#writeOne(this.#delete(request))],
    ['Query', (request: QueryCommandInput) => query(this.table(request.TableName), request)],
    ['Scan', (request: ScanCommandInput) => scan(this.table(request.TableName), request)],
    ['TransactWriteItems', (request: TransactWriteItemsCommandInput) => this.#transact(request)],
  ]);

  createTable(definition: TableDefinition): void {
    this.#tables.set(definition.TableName ?? '', new Table(definition));
  }

  /** @throws AwsError ResourceNotFoundException */
  table(name: string | undefined): Table {
    const table = this.#tables.get(name ?? '');
    if (table !== undefined) return table;
    throw new AwsError('ResourceNotFoundException', 'Cannot do operations on a non-existent table');
  }

  #getItem(request: GetItemCommandInput): object {
    onlyKnown('GetItem', request, ['TableName', 'Key', 'ConsistentRead']);
    const item = this.table(request.TableName).get(request.Key ?? {});
    return item === undefined ? {} : { Item: item };
  }

  #batchGetItem(request: BatchGetItemCommandInput): object {
    onlyKnown('BatchGetItem', request, ['RequestItems']);
    const responses = Object.entries(request.RequestItems ?? {}).map(([name, wanted]) => {
      onlyKnown('BatchGetItem', wanted, ['Keys', 'ConsistentRead']);
      const table = this.table(name);
      const keys = wanted.Keys ?? [];
      const ids = new Set(keys.map((key) => table.idOf(key)));
      if (keys.length > MOST_KEYS_IN_A_BATCH || ids.size < keys.length) {
        throw new AwsError('ValidationException', 'Too many keys, or the same key twice');
      }
      return [name, keys.map((key) => table.get(key)).filter((item) => item !== undefined)];
    });
    return { Responses: Object.fromEntries(responses) as object, UnprocessedKeys: {} };
  }

  #updateItem(request: UpdateItemCommandInput): object {
    const { ReturnValues: returned = 'NONE', ...rest } = request;
    if (returned !== 'NONE' && returned !== 'ALL_NEW') {
      throw new UnknownToTheWorld(`UpdateItem that returns ${returned}`);
    }
    const write = this.#update(rest);
    this.#writeOne(write);
    return returned === 'NONE' ? {} : { Attributes: write.table.get(write.key) };
  }

  #put(request: PutItemCommandInput): Write {
    onlyKnown('PutItem', request, [...CONDITIONAL, 'Item']);
    const table = this.table(request.TableName);
    const { Item: item = {} } = request;
    return { table, key: table.keyOf(item), condition: request, next: () => item };
  }

  #update(request: Omit<UpdateItemCommandInput, 'ReturnValues'>): Write {
    onlyKnown('UpdateItem', request, [...CONDITIONAL, 'Key', 'UpdateExpression']);
    const { Key: key = {}, UpdateExpression: expression = '' } = request;
    const next = (existing = key) => updated(existing, expression, placeholdersOf(request));
    return { table: this.table(request.TableName), key, condition: request, next };
  }

  #delete(request: DeleteItemCommandInput): Write {
    onlyKnown('DeleteItem', request, [...CONDITIONAL, 'Key']);
    const { Key: key = {} } = request;
    const table = this.table(request.TableName);
    return { table, key, condition: request, next: () => undefined };
  }

  #writeOne(write: Write): object {
    const existing = write.table.get(write.key);
    if (!isAllowed(write, existing)) {
      throw new AwsError(
        'ConditionalCheckFailedException',
        'The conditional request failed',
        returnedItem(write, existing),
      );
    }
    const item = write.next(existing);
    write.table.store(write.key, item);
    this.#onWrite([carriedOut(write, existing, item)]);
    return {};
  }

  #transact(request: TransactWriteItemsCommandInput): object {
    onlyKnown('TransactWriteItems', request, ['TransactItems', 'ClientRequestToken']);
    const writes = (request.TransactItems ?? []).map((item) => {
      const write = this.#writeOf(item);
      return { ...write, existing: write.table.get(write.key) };
    });
    const targets = new Set(writes.map(({ table, key }) => `${table.name} ${table.idOf(key)}`));
    if (targets.size < writes.length) {
      throw new AwsError(
        'ValidationException',
        'Transaction request cannot include multiple operations on one item',
      );
    }
    const reasons = writes.map((write) =>
      isAllowed(write, write.existing)
        ? { Code: 'None' }
        : {
            Code: 'ConditionalCheckFailed',
            Message: 'The conditional request failed',
            ...returnedItem(write, write.existing),
          },
    );
    if (reasons.some(({ Code }) => Code !== 'None')) {
      const codes = reasons.map(({ Code }) => Code).join(', ');
      throw new AwsError(
        'TransactionCanceledException',
        `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
        { CancellationReasons: reasons },
      );
    }
    const results = writes.map((write) => ({ ...write, item: write.next(write.existing) }));
    for (const { table, item } of results) table.check(item);
    for (const { table, key, item } of results) table.store(key, item);
    this.#onWrite(results.map((write) => carriedOut(write, write.existing, write.item)));
    return {};
  }

  #writeOf({ Put: put, Update: update, Delete: remove, ...others }: TransactWriteItem): Write {
    if (put !== undefined) return this.#put(put);
    if (update !== undefined) return this.#update(update);
    if (remove !== undefined) return this.#delete(remove);
    throw new UnknownToTheWorld(`TransactWriteItems with ${Object.keys(others).join()}`);
  }
}

function isAllowed({ condition }: Write, existing: Item | undefined): boolean {
  const { ConditionExpression: expression } = condition;
  return expression === undefined || fulfils(existing ?? {}, expression, placeholdersOf(condition));
}

function carriedOut(write: Write, before: Item | undefined, after: Item | undefined): CarriedOut {
  const isAllowedOver = (stored: Item | undefined) => isAllowed(write, stored);
  return { table: write.table.name, before, after, isAllowedOver };
}

function returnedItem({ condition }: Write, existing: Item | undefined): { Item?: Item } {
  const isWanted = condition.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
  return isWanted && existing !== undefined ? { Item: existing } : {};
}
