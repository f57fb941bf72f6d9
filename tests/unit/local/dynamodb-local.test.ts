import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { DynamoDbLocalProblem, startDynamoDbLocal } from '../../../local/stack/dynamodb-local.ts';
import { findFreePort } from '../../../local/stack/ports.ts';

describe('startDynamoDbLocal', () => {
  it("gives the JVM's own words when it ends instead of starting", async () => {
    const port = await findFreePort('127.0.0.1');
    const client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
    // Node stands in for a Java that refuses its options.
    const start = startDynamoDbLocal(process.execPath, port, client);
    await expect(start).rejects.toThrow(DynamoDbLocalProblem);
    await expect(start).rejects.toThrow('bad option: -Xmx256m');
  });
});
