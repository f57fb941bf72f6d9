import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { intercepted, OVER_THE_NETWORK, perAccess } from '../aws/aws-access.ts';

/** DynamoDB for libraries that bring their own marshalling. */
export const databaseClient = perAccess('database', (access) =>
  intercepted(
    new DynamoDBClient({ requestHandler: access.requestHandler ?? OVER_THE_NETWORK }),
    'dynamodb',
    access,
  ),
);

/** DynamoDB with plain JavaScript values. Shares its connections with `databaseClient`. */
export const documentClient = perAccess('documents', (access) =>
  DynamoDBDocumentClient.from(databaseClient(access), {
    marshallOptions: { removeUndefinedValues: true },
  }),
);
