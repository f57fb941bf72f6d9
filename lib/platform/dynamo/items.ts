import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type * as z from 'zod/mini';
import { type Clock, sleep } from '../clock.ts';
import { DatabaseThrottled, ImpossibleState, InfrastructureUnavailable } from '../errors.ts';
import { shardOf } from '../ids.ts';
import { loggerFor } from '../lambda/logging.ts';
import { observe } from '../lambda/observe.ts';

/** Reason for which a conditional write or a transaction wrote nothing. */
export type WriteRefusal =
  /** A condition no longer holds; `failed` lists the positions in the transaction. */
  | {
      readonly kind: 'CONDITION';
      readonly failed: readonly number[];
      /** The stored item, if a single write asked for it. */
      readonly item?: StoredItem | undefined;
    }
  /** Another transaction was writing the same item. */
  | { readonly kind: 'CONFLICT' };

/**
 * Awaits one conditional write or transaction.
 * @returns undefined if it was written, otherwise the reason.
 * @throws InfrastructureUnavailable if the database failed or did not answer: it may have been written;
 * DatabaseThrottled; ImpossibleRequest.
 */
export async function conditionalWrite(write: Promise<unknown>): Promise<WriteRefusal | undefined> {
  try {
    await write;
    return undefined;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      return { kind: 'CONDITION', failed: [0], item: error.Item && unmarshall(error.Item) };
    }
    if (error instanceof TransactionConflictException) return { kind: 'CONFLICT' };
    if (error instanceof TransactionCanceledException) {
      const codes = (error.CancellationReasons ?? []).map((reason) => reason.Code);
      const failed = codes.flatMap((code, index) =>
        code === 'ConditionalCheckFailed' ? [index] : [],
      );
      if (failed.length > 0) return { kind: 'CONDITION', failed };
      if (codes.includes('TransactionConflict')) return { kind: 'CONFLICT' };
    }
    return throwUnavailable(error);
  }
}

/** Result of an attempt that lost against another writer: read again and decide anew. */
export const CONFLICT = Symbol('CONFLICT');

export interface RetryPolicy {
  readonly attempts: number;
  /** Full jitter below a ceiling that doubles from `baseMs` to `capMs`. Default: no pause. */
  readonly pause?: { readonly baseMs: number; readonly capMs: number };
}

/**
 * Repeats a conditional write until no other writer interferes. Each attempt reads, decides and
 * writes; it returns CONFLICT if the write lost.
 * @returns CONFLICT if every attempt lost.
 */
export async function retryOptimistically<Result>(
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
  { attempts, pause }: RetryPolicy,
  attempt: () => Promise<Result | typeof CONFLICT>,
): Promise<Result | typeof CONFLICT> {
  for (let tries = 1; ; tries += 1) {
    const result = await attempt();
    if (result !== CONFLICT || tries === attempts) return result;
    await pauseAfter(tries, { clock, random }, pause);
  }
}

/** Sleeps before the next attempt, at random below the policy's ceiling. */
export async function pauseAfter(
  tries: number,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
  pause: RetryPolicy['pause'],
): Promise<void> {
  if (pause === undefined) return;
  const ceilingMs = Math.min(pause.capMs, pause.baseMs * 2 ** (tries - 1));
  await sleep(clock, Math.floor(random() * ceilingMs));
}

/** A request that the database can never take: a defect, so no DomainError. No repetition heals it. */
export class ImpossibleRequest extends Error {
  override readonly name = 'ImpossibleRequest';
}

/** Names of the database's errors about the request itself, and the reason of a transaction that one item refused. */
const ABOUT_THE_REQUEST = ['ValidationException', 'SerializationException', 'ValidationError'];

/** Names of the database's errors about too many calls, and the reasons of a transaction that met them. */
const ABOUT_THE_LOAD = [
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
];

/** Name of the error; of a cancelled transaction, the codes of its items as well. */
function namesOf(error: unknown): string[] {
  const reasons = error instanceof TransactionCanceledException ? error.CancellationReasons : [];
  return [
    error instanceof Error ? error.name : '',
    ...(reasons ?? []).map(({ Code }) => Code ?? ''),
  ];
}

/**
 * Translates the failure of a read: `documents.send(…).catch(throwUnavailable)`.
 * @throws InfrastructureUnavailable with the SDK's error as `cause`; DatabaseThrottled; ImpossibleRequest if the
 * request is at fault.
 */
export function throwUnavailable(cause: unknown): never {
  const names = namesOf(cause);
  if (names.some((name) => ABOUT_THE_REQUEST.includes(name))) {
    observe('ImpossibleRequest', {}, {}, { error: cause });
    throw new ImpossibleRequest('The database refuses a request of this code.', { cause });
  }
  if (names.some((name) => ABOUT_THE_LOAD.includes(name))) {
    throw new DatabaseThrottled(DatabaseThrottled.refusal.advice, { cause });
  }
  throw new InfrastructureUnavailable('The database did not answer; try again.', {
    cause,
    retryAfterSeconds: 1,
  });
}

/**
 * Reads one item consistently.
 * @throws InfrastructureUnavailable
 */
export async function readItem(
  documents: DynamoDBDocumentClient,
  table: string,
  key: { readonly pk: string },
): Promise<StoredItem | undefined> {
  const command = new GetCommand({ TableName: table, Key: key, ConsistentRead: true });
  return (await documents.send(command).catch(throwUnavailable)).Item;
}

/** Calls of one batch. What is unprocessed after these is throttled. */
const MOST_BATCHES = 5;

/**
 * Reads up to a hundred items of one table consistently, in as many calls as the database needs.
 * @returns the items found, by `pk`.
 * @throws InfrastructureUnavailable, DatabaseThrottled
 */
export async function readItems(
  documents: DynamoDBDocumentClient,
  table: string,
  keys: readonly { readonly pk: string }[],
): Promise<ReadonlyMap<string, StoredItem>> {
  const items = new Map<string, StoredItem>();
  let missing: Record<string, unknown>[] = [...keys];
  for (let batch = 0; missing.length > 0; batch += 1) {
    if (batch === MOST_BATCHES) throw new DatabaseThrottled(DatabaseThrottled.refusal.advice);
    const request = { RequestItems: { [table]: { Keys: missing, ConsistentRead: true } } };
    const output = await documents.send(new BatchGetCommand(request)).catch(throwUnavailable);
    for (const item of output.Responses?.[table] ?? []) items.set(String(item['pk']), item);
    missing = output.UnprocessedKeys?.[table]?.Keys ?? [];
  }
  return items;
}

/**
 * Condition of every status change: the item still has the status that the decision was made on, and was not
 * written since. If there was no item, there still is none.
 * @param counter attribute that counts every write of the item.
 */
export function stillAsRead<Counter extends string>(
  previous: ({ readonly status: string } & Readonly<Record<Counter, number>>) | undefined,
  counter: Counter,
) {
  return previous === undefined
    ? { ConditionExpression: 'attribute_not_exists(pk)' }
    : {
        ConditionExpression: '#status = :statusAsRead AND #counter = :counterAsRead',
        ExpressionAttributeNames: { '#status': 'status', '#counter': counter },
        ExpressionAttributeValues: {
          ':statusAsRead': previous.status,
          ':counterAsRead': previous[counter],
        },
      };
}

/** Update of an item that has exactly these attributes, whether it is stored yet or not. */
export function updateOf(attributes: Readonly<Record<string, unknown>>) {
  const fields = Object.entries(attributes);
  return {
    UpdateExpression: `SET ${fields.map(([name]) => `#${name} = :${name}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(
      fields.map(([name, value]) => [`:${name}`, value]),
    ),
  };
}

/** Number of partitions of the sparse index of due items. */
export const DUE_SHARDS = 16;

/** Index attributes of an item, present exactly while the system owes it something. */
export function dueAttributes(id: string, dueKeyMs: number | undefined) {
  return dueKeyMs === undefined
    ? {}
    : { dueShard: shardName('due', shardOf(id, DUE_SHARDS)), dueKeyMs };
}

/** Key of one partition of a sparse index, as its items have it: `due#3`. */
export function shardName(index: string, shard: number): string {
  return `${index}#${String(shard)}`;
}

/** Sparse index over due items: spread over partitions, sorted by due time. */
export interface TimedIndex {
  readonly table: string;
  readonly index: string;
  readonly shardAttribute: string;
  readonly timeAttribute: string;
}

/** Small enough that the pages of all shards fit into a function's memory many times over. */
const DUE_PAGE_ITEMS = 100;

/**
 * Reads the items of one shard that were due at `nowMs`, page by page, the oldest first. Items have
 * only the attributes of the index.
 * @throws InfrastructureUnavailable
 */
export async function* duePages(
  documents: DynamoDBDocumentClient,
  { table, index, shardAttribute, timeAttribute }: TimedIndex,
  shard: number,
  nowMs: number,
): AsyncGenerator<readonly StoredItem[]> {
  let startKey: Record<string, unknown> | undefined;
  do {
    const query = new QueryCommand({
      TableName: table,
      IndexName: index,
      KeyConditionExpression: '#shard = :shard AND #time <= :now',
      ExpressionAttributeNames: { '#shard': shardAttribute, '#time': timeAttribute },
      ExpressionAttributeValues: { ':shard': shardName(index, shard), ':now': nowMs },
      ExclusiveStartKey: startKey,
      Limit: DUE_PAGE_ITEMS,
    });
    const page = await documents.send(query).catch(throwUnavailable);
    yield page.Items ?? [];
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}

export type StoredItem = Readonly<Record<string, unknown>>;

/** A stored item that this version of the code cannot read: a defect, so no DomainError. */
export abstract class UnreadableItem extends Error {}

/** An item differs from its schema. Names the item and fields, never values: some are secret. */
export class MalformedItem extends UnreadableItem {
  override readonly name = 'MalformedItem';
  constructor(item: StoredItem, fields: readonly string[]) {
    super(`${String(item['pk'])} is malformed at ${fields.join(', ')}.`);
  }
}

/** Another version of the code has written the item. */
export class UnknownSchemaVersion extends UnreadableItem {
  override readonly name = 'UnknownSchemaVersion';
  constructor(item: StoredItem, version: number, known: number) {
    super(
      `${String(item['pk'])} has schema version ${String(version)}; ` +
        `this code reads version ${String(known)}.`,
    );
  }
}

/** True if an item cannot be read as it is: malformed, of another version, or of facts that contradict each other. */
export function isUnreadable(error: unknown): error is UnreadableItem | ImpossibleState {
  return error instanceof UnreadableItem || error instanceof ImpossibleState;
}

/** Builds a schema at its first use, so that importing it costs nothing. */
export function lazily<Schema>(build: () => Schema): () => Schema {
  let built: Schema | undefined;
  return () => (built ??= build());
}

/** Stands for an item that cannot be read. */
export const UNREADABLE = Symbol('UNREADABLE');

/** Parses one of several items. One that cannot be read is logged, so that it does not hide the others. */
export function readableOr<Kind>(
  item: StoredItem,
  parse: (item: StoredItem) => Kind,
): Kind | typeof UNREADABLE {
  try {
    return parse(item);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    loggerFor({}).error('An unreadable item is passed over', { error });
    return UNREADABLE;
  }
}

/** Parses the items of a list, and leaves out those that cannot be read. */
export function readableOf<Kind>(
  items: readonly (StoredItem | undefined)[],
  parse: (item: StoredItem) => Kind,
): Kind[] {
  const readable: Kind[] = [];
  for (const item of items) {
    const parsed = item === undefined ? UNREADABLE : readableOr(item, parse);
    if (parsed !== UNREADABLE) readable.push(parsed);
  }
  return readable;
}

const NAMED_FIELDS = 5;

/**
 * Takes the fields out of an item, however malformed it is: for the doctor, which judges it. Left out are the
 * attributes of every item, and those of its indexes.
 */
export function uncheckedFields(
  item: StoredItem,
  indexAttributes: readonly string[],
): Record<string, unknown> {
  const { pk: _pk, type: _type, schemaVersion: _schemaVersion, ...fields } = item;
  for (const name of indexAttributes) Reflect.deleteProperty(fields, name);
  return fields;
}

/**
 * Checks an item as it was read, and takes its fields. Attributes that the schema does not know stay.
 * @param known the schema version that the caller reads; an item without one has version 1.
 * @throws UnknownSchemaVersion, MalformedItem
 */
export function checkedFields<Schema extends z.ZodMiniType>(
  item: StoredItem,
  known: number,
  schema: Schema | undefined,
  indexAttributes: readonly string[] = [],
): z.output<Schema> {
  const version = item['schemaVersion'] ?? 1;
  if (typeof version !== 'number') throw new MalformedItem(item, ['schemaVersion']);
  if (version !== known) throw new UnknownSchemaVersion(item, version, known);
  if (schema === undefined) throw new MalformedItem(item, ['status']);
  const parsed = schema.safeParse(item);
  if (!parsed.success) {
    const malformed = new Set(malformedFields(parsed.error.issues, []));
    throw new MalformedItem(item, [...malformed].slice(0, NAMED_FIELDS));
  }
  // The schemas transform nothing, so the item's own fields have the output's type.
  return uncheckedFields(item, indexAttributes) as z.output<Schema>;
}

function malformedFields(
  issues: readonly z.core.$ZodIssue[],
  parent: readonly PropertyKey[],
): string[] {
  return issues.flatMap((issue) => {
    const path = [...parent, ...issue.path];
    return issue.code === 'invalid_union' && issue.errors.length > 0
      ? malformedFields(issue.errors.flat(), path)
      : [path.map(String).join('.')];
  });
}

type Plain<Kind> = Kind extends object ? { -readonly [Key in keyof Kind]: Plain<Kind[Key]> } : Kind;

type IsSame<Left, Right> =
  (<Probe>(probe: Probe) => Probe extends Left ? 1 : 2) extends <Probe>(
    probe: Probe,
  ) => Probe extends Right ? 1 : 2
    ? true
    : false;

/** `Kind` if the schema's output has exactly its shape; otherwise a type that fits nothing. */
export type Parsed<Kind, Schema extends z.ZodMiniType> =
  IsSame<Plain<z.output<Schema>>, Plain<Kind>> extends true ? Kind : 'The schema differs.';
