import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  type UpdateTimeToLiveCommandInput,
} from '@aws-sdk/client-dynamodb';
import { type IntrinsicValues, pseudoParameters, resolveIntrinsics } from './intrinsics.ts';
import type { ServiceDefinition } from './service-definition.ts';

export const ACCOUNT_ID = '000000000000';

/** A resource of one type, its properties still with references. */
interface Resource<Properties = Readonly<Record<string, unknown>>> {
  readonly logicalId: string;
  readonly name: string;
  readonly properties: Properties;
}

/** Values of the references between resources and functions. The queues' URLs must be known. */
export function intrinsicValues(
  service: ServiceDefinition,
  queueUrls: Readonly<Record<string, string>> = {},
): IntrinsicValues {
  const { region } = service.provider;
  const references: Record<string, string> = {
    ...pseudoParameters(region, ACCOUNT_ID),
    ...queueUrls,
  };
  const attributes: Record<string, string> = {};
  for (const { logicalId, name } of tablesOf(service)) {
    references[logicalId] = name;
    attributes[`${logicalId}.Arn`] = `arn:aws:dynamodb:${region}:${ACCOUNT_ID}:table/${name}`;
  }
  for (const { logicalId, name } of queuesOf(service)) {
    attributes[`${logicalId}.Arn`] = `arn:aws:sqs:${region}:${ACCOUNT_ID}:${name}`;
    attributes[`${logicalId}.QueueName`] = name;
  }
  for (const [key, { name }] of Object.entries(service.functions)) {
    attributes[`${key}.Arn`] = `arn:aws:lambda:${region}:${ACCOUNT_ID}:function:${name}`;
  }
  return { references, attributes };
}

/** Input of `CreateTable`, and the properties that only a deployment has. */
type TableProperties = CreateTableCommandInput &
  Partial<Pick<UpdateTimeToLiveCommandInput, 'TimeToLiveSpecification'>>;

/** Server that creates queues. */
export interface QueueServer {
  createQueue(
    name: string,
    options: { readonly region: string; readonly attributes: Record<string, string> },
  ): { readonly queueArn: string };
}

/** Creates every missing table with its indexes and time to live. @returns names by logical id. */
export async function createTables(
  service: ServiceDefinition,
  client: DynamoDBClient,
): Promise<Record<string, string>> {
  const tables = tablesOf(service);
  await Promise.all(tables.map(({ properties }) => createTable(properties, client)));
  return Object.fromEntries(tables.map(({ logicalId, name }) => [logicalId, name]));
}

/**
 * Creates every queue with its redrive policy. The server's own URLs have a host under `.localhost`, which not
 * every machine resolves; the server accepts any host.
 * @returns URLs by logical id.
 */
export function createQueues(
  service: ServiceDefinition,
  server: QueueServer,
  endpoint: string,
): Record<string, string> {
  const values = intrinsicValues(service);
  return Object.fromEntries(
    queuesOf(service).map(({ logicalId, name, properties }) => {
      const attributes = Object.entries(properties)
        .filter(([property]) => property !== 'QueueName')
        .map(([property, value]) => [property, toAttribute(resolveIntrinsics(value, values))]);
      const { queueArn } = server.createQueue(name, {
        region: service.provider.region,
        attributes: Object.fromEntries(attributes) as Record<string, string>,
      });
      return [logicalId, queueUrlOf(queueArn, endpoint)];
    }),
  );
}

/** URL of a queue. Like the ARN, it ends in the account and the name. */
export function queueUrlOf(arn: string, endpoint: string): string {
  return new URL(arn.split(':').slice(-2).join('/'), endpoint).href;
}

/** SQS takes every attribute as a string, and a policy as JSON. */
function toAttribute(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function createTable(
  { TimeToLiveSpecification, ...properties }: TableProperties,
  client: DynamoDBClient,
): Promise<void> {
  const {
    TableName,
    AttributeDefinitions,
    KeySchema,
    BillingMode,
    GlobalSecondaryIndexes,
    LocalSecondaryIndexes,
  } = properties;
  try {
    await client.send(
      new CreateTableCommand({
        TableName,
        AttributeDefinitions,
        KeySchema,
        BillingMode,
        GlobalSecondaryIndexes,
        LocalSecondaryIndexes,
      }),
    );
  } catch (error) {
    // An earlier start has kept the table.
    if (error instanceof ResourceInUseException) return;
    throw error;
  }
  if (TimeToLiveSpecification === undefined) return;
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
}

/** All tables of the deployment. */
export function tablesOf(service: ServiceDefinition): readonly Resource<TableProperties>[] {
  return resourcesOf<TableProperties>(service, 'AWS::DynamoDB::Table', 'TableName');
}

function queuesOf(service: ServiceDefinition): readonly Resource[] {
  return resourcesOf(service, 'AWS::SQS::Queue', 'QueueName');
}

/** Resources of one type. `Properties` has the shape of the service's own request. */
function resourcesOf<Properties = Resource['properties']>(
  { resources }: ServiceDefinition,
  type: string,
  nameProperty: string,
): readonly Resource<Properties>[] {
  return Object.entries(resources.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([logicalId, { Properties: properties }]) => ({
      logicalId,
      name: String(properties[nameProperty]),
      properties: properties as Properties,
    }));
}
