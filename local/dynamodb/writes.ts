import type {
  DeleteItemCommandInput,
  PutItemCommandInput,
  TransactWriteItem,
  UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { onlyKnown, UnsupportedRequest } from '../aws/aws-error.ts';
import { fulfils } from './conditions.ts';
import { itemBytes } from './item-size.ts';
import { LIMITS } from './limits.ts';
import { assertPlaceholdersMatch, placeholdersOf, type WithPlaceholders } from './placeholders.ts';
import { conditionFailed, invalidItem, invalidRequest } from './refusals.ts';
import type { Table } from './table.ts';
import { updated } from './updates.ts';
import { acceptedItem, type Item } from './values.ts';

/** A condition and its placeholders, which every kind of write has. */
interface Conditional extends WithPlaceholders {
  readonly TableName: string | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

/** One requested write. Its request is valid; `decide` finds out if its item is. */
export interface Write {
  readonly table: Table;
  readonly key: Item;
  /** Id of the item among the items of all tables. */
  readonly itemId: string;
  readonly condition: Conditional;
  /** The whole item, if the request gives it. */
  readonly given?: Item;
  /** Bytes of the request that count towards a transaction's limit. */
  readonly payloadBytes: number;
  /**
   * The item to store if the condition holds; undefined deletes it.
   * @throws AwsError ValidationException if the result cannot be stored.
   */
  readonly next: (existing: Item | undefined) => Item | undefined;
}

/** Finds a table by its name. */
export type FindTable = (name: string | undefined) => Table;

const PLACEHOLDERS = ['ExpressionAttributeNames', 'ExpressionAttributeValues'] as const;
const CONDITIONAL = [
  'TableName',
  'ConditionExpression',
  'ReturnValuesOnConditionCheckFailure',
  ...PLACEHOLDERS,
] as const;

/** @throws AwsError ValidationException if the item cannot be stored, regardless of the existing one. */
export function putOf(request: PutItemCommandInput, find: FindTable): Write {
  onlyKnown('PutItem', request, [...CONDITIONAL, 'Item']);
  assertPlaceholdersMatch(request, [request.ConditionExpression]);
  const table = find(request.TableName);
  if (request.Item === undefined) throw invalidRequest('Item to put in PutItem cannot be null');
  const item = acceptedItem(request.Item);
  const key = table.keyOf(item);
  table.assertKeyGiven(key);
  if (itemBytes(item) > LIMITS.itemBytes) {
    throw invalidRequest('Item size has exceeded the maximum allowed size');
  }
  table.assertIndexKeysGiven(item);
  return {
    ...targetOf(table, key),
    condition: request,
    given: item,
    payloadBytes: itemBytes(item),
    next: () => item,
  };
}

/** @throws AwsError ValidationException if the key is invalid. */
export function updateOf(
  request: Omit<UpdateItemCommandInput, 'ReturnValues'>,
  find: FindTable,
): Write {
  onlyKnown('UpdateItem', request, [...CONDITIONAL, 'Key', 'UpdateExpression']);
  const { Key: key = {}, UpdateExpression: expression = '' } = request;
  assertPlaceholdersMatch(request, [request.ConditionExpression, expression]);
  const table = find(request.TableName);
  table.assertKeyGiven(key);
  const { values } = placeholdersOf(request);
  return {
    ...targetOf(table, key),
    condition: request,
    payloadBytes: itemBytes(key) + itemBytes(acceptedItem(values)),
    next: (existing = key) => {
      const result = acceptedItem(updated(existing, expression, placeholdersOf(request)));
      assertKeyKept(table, key, result);
      if (itemBytes(result) > LIMITS.itemBytes) {
        throw invalidItem('Item size to update has exceeded the maximum allowed size');
      }
      table.assertIndexKeysGiven(result);
      return result;
    },
  };
}

/** @throws AwsError ValidationException if the key is invalid. */
export function deleteOf(request: DeleteItemCommandInput, find: FindTable): Write {
  onlyKnown('DeleteItem', request, [...CONDITIONAL, 'Key']);
  assertPlaceholdersMatch(request, [request.ConditionExpression]);
  const { Key: key = {} } = request;
  const table = find(request.TableName);
  table.assertKeyGiven(key);
  return {
    ...targetOf(table, key),
    condition: request,
    payloadBytes: itemBytes(key),
    next: () => undefined,
  };
}

/** One write of a transaction. */
export function writeOf(item: TransactWriteItem, find: FindTable): Write {
  const { Put: put, Update: update, Delete: remove, ...others } = item;
  if (Object.values(item).filter((action) => action !== undefined).length > 1) {
    throw invalidRequest('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  if (put !== undefined) return putOf(put, find);
  if (update !== undefined) return updateOf(update, find);
  if (remove !== undefined) return deleteOf(remove, find);
  throw new UnsupportedRequest(`TransactWriteItems with ${Object.keys(others).join()}`);
}

/**
 * Decides on a write over an item, and stores nothing yet.
 * @returns the item to store; undefined to delete it.
 * @throws ItemRefusal, or AwsError if the whole request is wrong.
 */
export function decide(write: Write, existing: Item | undefined): Item | undefined {
  const { table, key, condition, given } = write;
  table.assertKeyFits(key);
  if (given !== undefined) table.assertIndexKeysFit(given);
  if (!isAllowed(write, existing)) {
    const isWanted = condition.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
    throw conditionFailed(isWanted && existing !== undefined ? { Item: existing } : {});
  }
  const item = write.next(existing);
  if (item !== undefined) table.assertIndexKeysFit(item);
  return item;
}

export function isAllowed({ condition }: Write, existing: Item | undefined): boolean {
  const { ConditionExpression: expression } = condition;
  return expression === undefined || fulfils(existing ?? {}, expression, placeholdersOf(condition));
}

function targetOf(table: Table, key: Item): Pick<Write, 'table' | 'key' | 'itemId'> {
  return { table, key, itemId: `${table.name} ${table.idOf(key)}` };
}

function assertKeyKept(table: Table, key: Item, result: Item): void {
  if (table.idOf(table.keyOf(result)) === table.idOf(key)) return;
  const names = Object.keys(key).join();
  throw invalidItem(
    `One or more parameter values were invalid: Cannot update attribute ${names}. This attribute is part of the key`,
  );
}
