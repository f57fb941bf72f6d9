import type {
  BatchGetItemCommandInput,
  BatchWriteItemCommandInput,
  CreateTableCommandInput,
  DeleteItemCommandInput,
  DescribeTableCommandInput,
  DescribeTimeToLiveCommandInput,
  GetItemCommandInput,
  ListTablesCommandInput,
  PutItemCommandInput,
  QueryCommandInput,
  ScanCommandInput,
  TransactWriteItemsCommandInput,
  UpdateItemCommandInput,
  UpdateTimeToLiveCommandInput,
  WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { AwsError, onlyKnown, UnsupportedRequest } from '../aws/aws-error.ts';
import { Catalogue } from './catalogue.ts';
import { itemBytes } from './item-size.ts';
import { LIMITS, WRITE_UNIT_BYTES } from './limits.ts';
import { query, scan } from './pages.ts';
import { ItemRefusal, invalidRequest, throttled, transactionConflict } from './refusals.ts';
import type { Table, TableDefinition } from './table.ts';
import type { Item } from './values.ts';
import { WriteThroughput } from './write-throughput.ts';
import { decide, deleteOf, isAllowed, putOf, updateOf, type Write, writeOf } from './writes.ts';

/** One executed write of an item, alone or with others in one transaction. */
export interface CarriedOut {
  readonly table: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  /** True if the write's condition would have held over this stored item. */
  readonly isAllowedOver: (stored: Item | undefined) => boolean;
}

/** Called for every write, with all writes of the same transaction. */
export type WriteListener = (writes: readonly CarriedOut[]) => void;

export interface MemoryDynamoDbOptions {
  readonly onWrite?: WriteListener;
  /** Throttles the writes of each item; AWS's limit is 1000. By default, nothing is throttled. */
  readonly writeUnitsPerItemPerSecond?: number;
  /** Milliseconds since the epoch. Only throttling reads it. */
  readonly now?: () => number;
}

/** A write with its decision: the item to store, or the reason for the refusal. */
interface Decided {
  readonly write: Write;
  readonly existing: Item | undefined;
  readonly item: Item | undefined;
  readonly refusal: ItemRefusal | undefined;
}

type Operation = (request: never) => object;

const UNITS_IN_A_TRANSACTION = 2;

/**
 * DynamoDB in memory, with DynamoDB's limits, as far as this project uses it. It decides every operation at once,
 * so every read is consistent and indexes follow without delay. A caller may begin a transaction and commit it
 * later. In between, no other write touches its items.
 */
export class MemoryDynamoDb {
  readonly #catalogue = new Catalogue();
  readonly #onWrite: WriteListener;
  readonly #throughput: WriteThroughput | undefined;
  /** Items of transactions that have begun and are not committed. */
  readonly #held = new Set<string>();

  constructor({
    onWrite = () => undefined,
    writeUnitsPerItemPerSecond,
    now = Date.now,
  }: MemoryDynamoDbOptions = {}) {
    this.#onWrite = onWrite;
    this.#throughput =
      writeUnitsPerItemPerSecond === undefined
        ? undefined
        : new WriteThroughput(writeUnitsPerItemPerSecond, now);
  }

  /** Operations by their name in X-Amz-Target. */
  readonly operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
    ['GetItem', (request: GetItemCommandInput) => this.#getItem(request)],
    ['BatchGetItem', (request: BatchGetItemCommandInput) => this.#batchGetItem(request)],
    ['PutItem', (request: PutItemCommandInput) => this.#writeOne(putOf(request, this.#find))],
    ['UpdateItem', (request: UpdateItemCommandInput) => this.#updateItem(request)],
    [
      'DeleteItem',
      (request: DeleteItemCommandInput) => this.#writeOne(deleteOf(request, this.#find)),
    ],
    ['BatchWriteItem', (request: BatchWriteItemCommandInput) => this.#batchWriteItem(request)],
    ['Query', (request: QueryCommandInput) => query(this.table(request.TableName), request)],
    ['Scan', (request: ScanCommandInput) => scan(this.table(request.TableName), request)],
    [
      'TransactWriteItems',
      (request: TransactWriteItemsCommandInput) => this.beginTransaction(request)(),
    ],
    ['CreateTable', (request: CreateTableCommandInput) => this.#catalogue.createTable(request)],
    [
      'DescribeTable',
      (request: DescribeTableCommandInput) => this.#catalogue.describeTable(request),
    ],
    ['ListTables', (request: ListTablesCommandInput) => this.#catalogue.listTables(request)],
    [
      'UpdateTimeToLive',
      (request: UpdateTimeToLiveCommandInput) => this.#catalogue.updateTimeToLive(request),
    ],
    [
      'DescribeTimeToLive',
      (request: DescribeTimeToLiveCommandInput) => this.#catalogue.describeTimeToLive(request),
    ],
  ]);

  createTable(definition: TableDefinition): void {
    this.#catalogue.create(definition);
  }

  /** @throws AwsError ResourceNotFoundException */
  table(name: string | undefined): Table {
    return this.#catalogue.table(name);
  }

  /**
   * Decides on a transaction and holds its items. Until the caller calls the returned function, every other write
   * of these items is a conflict. The function commits the transaction and returns its answer.
   * @throws AwsError TransactionCanceledException, or ValidationException for a wrong request.
   */
  beginTransaction(request: TransactWriteItemsCommandInput): () => object {
    onlyKnown('TransactWriteItems', request, ['TransactItems', 'ClientRequestToken']);
    const { TransactItems: items = [] } = request;
    if (items.length === 0 || items.length > LIMITS.transactionActions) {
      throw invalidRequest(
        items.length === 0
          ? "Value [] at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"
          : 'Member must have length less than or equal to 100',
      );
    }
    const writes = items.map((item) => writeOf(item, this.#find));
    assertPayload(writes);
    if (new Set(writes.map(({ itemId }) => itemId)).size < writes.length) {
      throw invalidRequest('Transaction request cannot include multiple operations on one item');
    }
    const conflicts = this.#conflictsOf(writes);
    if (conflicts !== undefined) throw cancelled(conflicts);
    const decided = this.#throttle(writes.map(decideOn), UNITS_IN_A_TRANSACTION);
    const refusals = decided.map(({ refusal }) => refusal);
    if (refusals.some((refusal) => refusal !== undefined)) throw cancelled(refusals);
    for (const { itemId } of writes) this.#held.add(itemId);
    return () => {
      for (const { itemId } of writes) this.#held.delete(itemId);
      this.#carryOut(decided);
      return {};
    };
  }

  readonly #find = (name: string | undefined) => this.table(name);

  #getItem(request: GetItemCommandInput): object {
    onlyKnown('GetItem', request, ['TableName', 'Key', 'ConsistentRead']);
    const item = this.table(request.TableName).get(request.Key ?? {});
    return item === undefined ? {} : { Item: item };
  }

  #batchGetItem(request: BatchGetItemCommandInput): object {
    onlyKnown('BatchGetItem', request, ['RequestItems']);
    const wanted = Object.entries(request.RequestItems ?? {}).map(([name, { Keys, ...others }]) => {
      onlyKnown('BatchGetItem', others, ['ConsistentRead']);
      const keys = Keys ?? [];
      if (keys.length === 0) {
        throw invalidRequest(
          `The list of keys in RequestItems for BatchGetItem is required: ${name} has empty list`,
        );
      }
      return { name, keys, others };
    });
    const count = wanted.reduce((sum, { keys }) => sum + keys.length, 0);
    if (count > LIMITS.batchGetKeys) {
      throw invalidRequest('Too many items requested for the BatchGetItem call');
    }
    let bytes = 0;
    const responses: Record<string, Item[]> = {};
    const unprocessed: Record<string, object> = {};
    for (const { name, keys, others } of wanted) {
      const table = this.table(name);
      for (const key of keys) table.assertKey(key);
      if (new Set(keys.map((key) => table.idOf(key))).size < keys.length) {
        throw invalidRequest('Provided list of item keys contains duplicates');
      }
      const found: Item[] = [];
      const left: Item[] = [];
      for (const key of keys) {
        const item = table.get(key);
        bytes += item === undefined ? 0 : itemBytes(item);
        if (bytes > LIMITS.batchGetBytes) left.push(key);
        else if (item !== undefined) found.push(item);
      }
      responses[name] = found;
      if (left.length > 0) unprocessed[name] = { ...others, Keys: left };
    }
    return { Responses: responses, UnprocessedKeys: unprocessed };
  }

  #updateItem(request: UpdateItemCommandInput): object {
    const { ReturnValues: returned = 'NONE', ...rest } = request;
    if (returned !== 'NONE' && returned !== 'ALL_NEW') {
      throw new UnsupportedRequest(`UpdateItem that returns ${returned}`);
    }
    const write = updateOf(rest, this.#find);
    this.#writeOne(write);
    return returned === 'NONE' ? {} : { Attributes: write.table.find(write.key) };
  }

  /** Writes each item by itself, and returns throttled and conflicting writes as unprocessed. */
  #batchWriteItem(request: BatchWriteItemCommandInput): object {
    onlyKnown('BatchWriteItem', request, ['RequestItems']);
    const tables = Object.entries(request.RequestItems ?? {});
    for (const [name, requests] of tables) {
      if (requests.length > 0) continue;
      throw invalidRequest(
        `The batch write request list for a table cannot be null or empty: ${name}`,
      );
    }
    const wanted = tables.flatMap(([name, requests]) =>
      requests.map((one) => ({ name, one, write: this.#batchWriteOf(name, one) })),
    );
    if (wanted.length === 0) {
      throw invalidRequest('BatchWriteItem cannot have a null or no requests set');
    }
    if (wanted.length > LIMITS.batchWriteActions) {
      throw invalidRequest('Too many items requested for the BatchWriteItem call');
    }
    if (new Set(wanted.map(({ write }) => write.itemId)).size < wanted.length) {
      throw invalidRequest('Provided list of item keys contains duplicates');
    }
    for (const { write } of wanted) decide(write, write.table.find(write.key));
    const unprocessed: Record<string, WriteRequest[]> = {};
    for (const { name, one, write } of wanted) {
      try {
        this.#writeOne(write);
      } catch (error) {
        if (!(error instanceof ItemRefusal)) throw error;
        (unprocessed[name] ??= []).push(one);
      }
    }
    return { UnprocessedItems: unprocessed };
  }

  #batchWriteOf(table: string, { PutRequest: put, DeleteRequest: remove }: WriteRequest): Write {
    return put === undefined
      ? deleteOf({ TableName: table, Key: remove?.Key }, this.#find)
      : putOf({ TableName: table, Item: put.Item }, this.#find);
  }

  #writeOne(write: Write): object {
    const [conflict] = this.#conflictsOf([write]) ?? [];
    if (conflict !== undefined) throw conflict;
    const decided = this.#throttle([decideOn(write)], 1);
    for (const { refusal } of decided) if (refusal !== undefined) throw refusal;
    this.#carryOut(decided);
    return {};
  }

  /** Refusals of the writes whose items a transaction holds; undefined if there are none. */
  #conflictsOf(writes: readonly Write[]): (ItemRefusal | undefined)[] | undefined {
    if (!writes.some(({ itemId }) => this.#held.has(itemId))) return undefined;
    return writes.map(({ itemId }) => (this.#held.has(itemId) ? transactionConflict() : undefined));
  }

  /**
   * Takes the write units of all writes, even if a condition fails. If an item has too few left, it takes nothing
   * and refuses the writes of such items.
   */
  #throttle(decided: readonly Decided[], factor: number): readonly Decided[] {
    const throughput = this.#throughput;
    if (throughput === undefined) return decided;
    const costs = decided.map((one) => ({
      one,
      id: one.write.itemId,
      units: factor * writeUnits(one),
    }));
    const lacking = costs.filter(({ id, units }) => !throughput.has(id, units));
    if (lacking.length === 0) {
      for (const { id, units } of costs) throughput.take(id, units);
      return decided;
    }
    const ids = new Set(lacking.map(({ id }) => id));
    return costs.map(({ one, id }) => (ids.has(id) ? { ...one, refusal: throttled() } : one));
  }

  #carryOut(decided: readonly Decided[]): void {
    for (const { write, item } of decided) write.table.store(write.key, item);
    this.#onWrite(
      decided.map(({ write, existing, item }) => ({
        table: write.table.name,
        before: existing,
        after: item,
        isAllowedOver: (stored) => isAllowed(write, stored),
      })),
    );
  }
}

/** @throws AwsError if the whole request is wrong. */
function decideOn(write: Write): Decided {
  const existing = write.table.find(write.key);
  try {
    return { write, existing, item: decide(write, existing), refusal: undefined };
  } catch (error) {
    if (error instanceof ItemRefusal) return { write, existing, item: undefined, refusal: error };
    throw error;
  }
}

/** Write units as AWS counts them: one for every KiB begun of the larger of the old and the new item. */
function writeUnits({ existing, item }: Decided): number {
  const bytes = Math.max(
    ...[existing, item].map((one) => (one === undefined ? 0 : itemBytes(one))),
  );
  return Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));
}

/** @throws AwsError ValidationException */
function assertPayload(writes: readonly Write[]): void {
  const bytes = writes.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0);
  if (bytes <= LIMITS.transactionBytes) return;
  throw invalidRequest(
    `Transaction payload size cannot exceed 4MB. Payload Size: ${String(bytes)}`,
  );
}

function cancelled(refusals: readonly (ItemRefusal | undefined)[]): AwsError {
  const reasons = refusals.map((refusal) =>
    refusal === undefined
      ? { Code: 'None' }
      : { Code: refusal.reasonCode, Message: refusal.message, ...refusal.members },
  );
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new AwsError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}
