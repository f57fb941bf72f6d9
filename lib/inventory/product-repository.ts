import {
  type DynamoDBDocumentClient,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { documentClient } from '../platform/dynamo/database-client.ts';
import {
  checkedFields,
  conditionalWrite,
  lazily,
  type Parsed,
  readableOf,
  readItem,
  readItems,
  type StoredItem,
  throwUnavailable,
  type WriteRefusal,
} from '../platform/dynamo/items.ts';
import type { Runtime } from '../platform/lambda/runtime.ts';
import { CATALOGUE, productKey, toProduct, toProductItem } from './inventory-repository.ts';
import type { ChangeRecord, Product, ProductChange, StockReceipt } from './product.ts';

type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** Products as their managers change them, and the receipts of their stock. */
export class ProductRepository {
  readonly #table: string;
  readonly #documents: DynamoDBDocumentClient;

  constructor(runtime: Runtime) {
    this.#table = runtime.config.INVENTORY_TABLE;
    this.#documents = documentClient(runtime.aws);
  }

  async findProduct(productId: string): Promise<Product | undefined> {
    const item = await readItem(this.#documents, this.#table, productKey(productId));
    return item === undefined ? undefined : toProduct(item);
  }

  /**
   * Ids of up to `count` products after `after`, ascending. The index lags behind the table by a moment.
   */
  async productIds(after: string | undefined, count: number): Promise<string[]> {
    const query = new QueryCommand({
      TableName: this.#table,
      IndexName: 'catalogue',
      KeyConditionExpression: 'catalogue = :catalogue AND productId > :after',
      // Sorts before every product id.
      ExpressionAttributeValues: { ':catalogue': CATALOGUE, ':after': after ?? ' ' },
      Limit: count,
    });
    const output = await this.#documents.send(query).catch(throwUnavailable);
    return (output.Items ?? []).map((item) => String(item['productId']));
  }

  /** Reads up to a hundred products consistently, in the order of the given ids, without unreadable ones. */
  async findProducts(productIds: readonly string[]): Promise<Product[]> {
    const items = await readItems(this.#documents, this.#table, productIds.map(productKey));
    return readableOf(
      productIds.map((productId) => items.get(productKey(productId).pk)),
      toProduct,
    );
  }

  /**
   * Writes a new product and the record of its creation, both or neither.
   * @returns undefined if it was written, otherwise the reason; `CONDITION` if the id is taken.
   */
  addProduct(product: Product, record: ChangeRecord): Promise<WriteRefusal | undefined> {
    const put = {
      TableName: this.#table,
      Item: toProductItem(product),
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    return this.#writeRecorded({ Put: put }, record);
  }

  /**
   * Writes the given fields if no person changed the product since it was read. The counters, which
   * reservations and receipts change, stay as they are. The record of the change is an item of its own: the
   * product's item, which every reservation writes, does not grow by it.
   * @returns undefined if both were written, otherwise the reason: another writer was faster.
   */
  changeProduct(
    previous: Product,
    change: ProductChange & { readonly changedAs: string },
    record: ChangeRecord,
  ): Promise<WriteRefusal | undefined> {
    const fields = Object.entries({ ...change, version: previous.version + 1 });
    const update = {
      TableName: this.#table,
      Key: productKey(previous.productId),
      UpdateExpression: `SET ${fields.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: '#status = :statusAsRead AND #version = :versionAsRead',
      ExpressionAttributeNames: {
        '#status': 'status',
        ...Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
      },
      ExpressionAttributeValues: {
        ':statusAsRead': previous.status,
        ':versionAsRead': previous.version,
        ...Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value])),
      },
    };
    return this.#writeRecorded({ Update: update }, record);
  }

  #writeRecorded(write: Write, record: ChangeRecord): Promise<WriteRefusal | undefined> {
    const put = {
      TableName: this.#table,
      Item: toChangeItem(record),
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    const both = new TransactWriteCommand({ TransactItems: [write, { Put: put }] });
    return conditionalWrite(this.#documents.send(both));
  }

  /**
   * Writes a new receipt and adds its units to the stock of its product, both or neither.
   * @returns undefined if it was written, otherwise the reason; `CONDITION` if the receipt exists already,
   * or the product does not.
   */
  addReceipt(receipt: StockReceipt): Promise<WriteRefusal | undefined> {
    const put = {
      TableName: this.#table,
      Item: toReceiptItem(receipt),
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    const update = {
      TableName: this.#table,
      Key: productKey(receipt.productId),
      UpdateExpression: 'ADD available :quantity, received :quantity',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':quantity': receipt.quantity },
    };
    const write = new TransactWriteCommand({ TransactItems: [{ Put: put }, { Update: update }] });
    return conditionalWrite(this.#documents.send(write));
  }

  async findReceipt(receiptId: string): Promise<StockReceipt | undefined> {
    const item = await readItem(this.#documents, this.#table, receiptKey(receiptId));
    return item === undefined ? undefined : toReceipt(item);
  }
}

const RECEIPT_SCHEMA_VERSION = 1;

const receiptKey = (receiptId: string) => ({ pk: `RECEIPT#${receiptId}` });

export function toReceiptItem(receipt: StockReceipt) {
  return {
    ...receiptKey(receipt.receiptId),
    type: 'RECEIPT',
    schemaVersion: RECEIPT_SCHEMA_VERSION,
    ...receipt,
  };
}

const receiptSchema = lazily(() =>
  z.object({
    receiptId: z.string(),
    productId: z.string(),
    quantity: z.int(),
    at: z.string(),
    by: z.exactOptional(z.string()),
  }),
);

/** @throws MalformedItem, UnknownSchemaVersion */
export function toReceipt(item: StoredItem): StockReceipt {
  const schema = receiptSchema();
  // Compiles only if the schema's output and the type are the same.
  const fields: Parsed<StockReceipt, typeof schema> = checkedFields(
    item,
    RECEIPT_SCHEMA_VERSION,
    schema,
    [],
  );
  return fields;
}

const CHANGE_SCHEMA_VERSION = 1;

/** Item of a change's record; its key needs no index, because versions have no gaps. */
function toChangeItem(record: ChangeRecord) {
  return {
    pk: `CHANGE#${record.productId}#${String(record.version)}`,
    type: 'CHANGE',
    schemaVersion: CHANGE_SCHEMA_VERSION,
    ...record,
  };
}
