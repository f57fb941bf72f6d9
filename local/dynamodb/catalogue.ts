import type {
  CreateTableCommandInput,
  DescribeTableCommandInput,
  DescribeTimeToLiveCommandInput,
  ListTablesCommandInput,
  TimeToLiveSpecification,
  UpdateTimeToLiveCommandInput,
} from '@aws-sdk/client-dynamodb';
import { AwsError, onlyKnown } from '../aws/aws-error.ts';
import { invalidRequest } from './refusals.ts';
import { Table, type TableDefinition } from './table.ts';

interface Entry {
  readonly table: Table;
  readonly definition: TableDefinition;
  timeToLive: TimeToLiveSpecification | undefined;
}

/** The tables by name. It records their time to live, and removes no item by it. */
export class Catalogue {
  readonly #entries = new Map<string, Entry>();

  create(definition: TableDefinition): void {
    const table = new Table(definition);
    this.#entries.set(table.name, { table, definition, timeToLive: undefined });
  }

  /** @throws AwsError ResourceNotFoundException */
  table(name: string | undefined): Table {
    return this.#entry(name).table;
  }

  createTable(request: CreateTableCommandInput): object {
    onlyKnown('CreateTable', request, [
      'TableName',
      'AttributeDefinitions',
      'KeySchema',
      'BillingMode',
      'GlobalSecondaryIndexes',
    ]);
    const name = request.TableName ?? '';
    if (this.#entries.has(name)) {
      throw new AwsError('ResourceInUseException', 'Cannot create preexisting table');
    }
    this.create(request);
    return { TableDescription: this.#description(name) };
  }

  describeTable(request: DescribeTableCommandInput): object {
    onlyKnown('DescribeTable', request, ['TableName']);
    return { Table: this.#description(request.TableName) };
  }

  listTables(request: ListTablesCommandInput): object {
    onlyKnown('ListTables', request, []);
    return { TableNames: [...this.#entries.keys()].sort() };
  }

  updateTimeToLive(request: UpdateTimeToLiveCommandInput): object {
    onlyKnown('UpdateTimeToLive', request, ['TableName', 'TimeToLiveSpecification']);
    const entry = this.#entry(request.TableName);
    const { TimeToLiveSpecification: wanted } = request;
    if (wanted?.Enabled === true && entry.timeToLive?.Enabled === true) {
      throw invalidRequest('TimeToLive is already enabled');
    }
    entry.timeToLive = wanted;
    return { TimeToLiveSpecification: wanted };
  }

  describeTimeToLive(request: DescribeTimeToLiveCommandInput): object {
    onlyKnown('DescribeTimeToLive', request, ['TableName']);
    const { timeToLive } = this.#entry(request.TableName);
    const described =
      timeToLive?.Enabled === true
        ? { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLive.AttributeName }
        : { TimeToLiveStatus: 'DISABLED' };
    return { TimeToLiveDescription: described };
  }

  #description(name: string | undefined): object {
    const { table, definition } = this.#entry(name);
    const { TableName, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = definition;
    return {
      TableName,
      AttributeDefinitions,
      KeySchema,
      TableStatus: 'ACTIVE',
      ItemCount: table.size,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      ...(GlobalSecondaryIndexes === undefined
        ? {}
        : {
            GlobalSecondaryIndexes: GlobalSecondaryIndexes.map((index) => ({
              ...index,
              IndexStatus: 'ACTIVE',
            })),
          }),
    };
  }

  #entry(name: string | undefined): Entry {
    const entry = this.#entries.get(name ?? '');
    if (entry !== undefined) return entry;
    throw new AwsError('ResourceNotFoundException', 'Cannot do operations on a non-existent table');
  }
}
