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

/** What references between the resources and functions stand for, once the queues have URLs. */
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

/** A table as `CreateTable` takes it, and what only a deployment has besides. */
type TableProperties = CreateTableCommandInput &
  Partial<Pick<UpdateTimeToLiveCommandInput, 'TimeToLiveSpecification'>>;

/** What queues are created in. */
export interface QueueServer {
  createQueue(
    name: string,
    options: { readonly region: string; readonly attributes: Record<string, string> },
  ): { readonly queueArn: string };
}

/** Creates every table that is not there, with its indexes and time to live; returns names by logical id. */
export async function createTables(
  service: ServiceDefinition,
  client: DynamoDBClient,
): Promise<Record<string, string>> {
  const tables = tablesOf(service);
  await Promise.all(tables.map(({ properties }) => createTable(properties, client)));
  return Object.fromEntries(tables.map(({ logicalId, name }) => [logicalId, name]));
}

/**
 * Creates every queue with its redrive policy; returns URLs by logical id. The server itself gives
 * URLs under a name in `.localhost`, which not every machine resolves; it takes any host.
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

/** A queue's URL ends as its ARN does: in account and name. */
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
    // Kept by an earlier start.
    if (error instanceof ResourceInUseException) return;
    throw error;
  }
  if (TimeToLiveSpecification === undefined) return;
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
}

/** Every table of the deployment. */
export function tablesOf(service: ServiceDefinition): readonly Resource<TableProperties>[] {
  return resourcesOf<TableProperties>(service, 'AWS::DynamoDB::Table', 'TableName');
}

function queuesOf(service: ServiceDefinition): readonly Resource[] {
  return resourcesOf(service, 'AWS::SQS::Queue', 'QueueName');
}

/** DynamoDB's own request has the same shape as the resource: `Properties` says which it is. */
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
