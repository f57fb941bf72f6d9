import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, onTestFinished } from 'vitest';
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
    // Node stands in for a Java that rejects its options.
    const start = startDynamoDbLocal(process.execPath, port, client);
    await expect(start).rejects.toThrow(DynamoDbLocalProblem);
    await expect(start).rejects.toThrow('bad option: -Xmx256m');
  });

  /** A JVM that prints something and then never answers. */
  function silentJava(words: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'java-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const java = join(folder, 'java');
    writeFileSync(java, `#!/bin/sh\nprintf '${words}' >&2\nexec sleep 600\n`, { mode: 0o755 });
    return java;
  }

  function clientOf(port: number) {
    return new DynamoDBClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
  }

  const PATIENCE = { startMs: 60_000, failingMs: 100 };

  it('gives up soon on a damaged file, names its folder and shows the words', async () => {
    const java = silentJava(
      'SQLiteException: [26] file is not a database\\n\\tat a.b(C.java:1)\\n',
    );
    const port = await findFreePort('127.0.0.1');
    const start = startDynamoDbLocal(java, port, clientOf(port), '/the/data/tables', PATIENCE);
    const problem: unknown = await start.catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(DynamoDbLocalProblem);
    expect(String(problem)).toContain('It may be unable to read /the/data/tables');
    expect(String(problem)).toContain('[26] file is not a database');
    expect(String(problem)).not.toContain('C.java');
  });

  it('gives up at last where nothing is said and nothing answers', async () => {
    const port = await findFreePort('127.0.0.1');
    const start = startDynamoDbLocal(silentJava(''), port, clientOf(port), undefined, {
      ...PATIENCE,
      startMs: 100,
    });
    await expect(start).rejects.toThrow('DynamoDB Local does not answer.');
  });
});
