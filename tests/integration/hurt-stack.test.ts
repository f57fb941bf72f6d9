import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { findJava, WITHOUT_JAVA } from '../support/java.ts';
import { eventually } from '../support/stack.ts';
import { runNode } from '../unit/companion/run-node.ts';

let folder: string;
let started: Stack[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hurt-'));
  started = [];
});

afterEach(async () => {
  for (const stack of started) await stack.kill();
  await rm(folder, { recursive: true });
});

/** `npm start` in a process of its own, with its output. */
class Stack {
  screen = '';
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
    this.child = spawn(process.execPath, ['local/run-script.cjs', 'local/start.ts', ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const read = (chunk: Buffer) => {
      this.screen += chunk.toString();
    };
    this.child.stdout?.on('data', read);
    this.child.stderr?.on('data', read);
    this.#ended = once(this.child, 'close');
    started.push(this);
  }

  async isUp(): Promise<void> {
    await eventually(() => {
      expect(this.screen).toContain('Ctrl-C stops everything');
    });
  }

  async exitCode(): Promise<number | null> {
    await this.#ended;
    return this.child.exitCode;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }
}

/** The process of DynamoDB Local that listens on a port, as the kernel lists it. */
function jvmOn(port: string): number | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        const words = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0');
        return words[0]?.endsWith('java') === true && words.at(-2) === port;
      } catch {
        return false;
      }
    });
}

test('a second start says that it is running already, or whose folder that is', async ({
  skip,
}) => {
  if ((await findJava()) === undefined) skip(WITHOUT_JAVA);
  const ports = await freePorts();
  const first = new Stack(ports, '--data', folder);
  await first.isUp();

  const again = new Stack(ports, '--data', folder);
  expect(await again.exitCode()).toBe(1);
  const api = `http://127.0.0.1:${ports['API_PORT'] ?? ''}`;
  expect(again.screen).toContain(`ordersaga is already running here: the API is ${api}`);

  const beside = new Stack(await freePorts(), '--data', folder);
  expect(await beside.exitCode()).toBe(1);
  expect(beside.screen).toContain(
    `${folder} is in use by another stack, process ${String(first.child.pid)}.`,
  );

  // The stack has recorded its address for the commands of other terminals.
  const { stdout } = await runNode(['local/companion/print-token.ts', 'alice'], {
    API_PORT: ports['API_PORT'] ?? '',
  });
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
});

test('without its tables a stack says so, ends with 1, and leaves no process', async ({ skip }) => {
  if ((await findJava()) === undefined) skip(WITHOUT_JAVA);
  const ports = await freePorts();
  const stack = new Stack(ports, '--data', folder);
  await stack.isUp();
  const jvm = jvmOn(ports['DYNAMODB_PORT'] ?? '');
  if (jvm === undefined) throw new Error('There is no JVM.');
  process.kill(jvm, 'SIGKILL');
  expect(await stack.exitCode()).toBe(1);
  expect(stack.screen.split('\n').filter((line) => line.includes('has ended'))).toHaveLength(1);
  expect(stack.screen).not.toContain('    at ');
  expect(jvmOn(ports['DYNAMODB_PORT'] ?? '')).toBeUndefined();
});

test('a damaged folder is named, with the words of what cannot read it', async ({ skip }) => {
  if ((await findJava()) === undefined) skip(WITHOUT_JAVA);
  const ports = await freePorts();
  const whole = new Stack(ports, '--data', folder);
  await whole.isUp();
  whole.child.kill('SIGTERM');
  expect(await whole.exitCode()).toBe(0);
  await writeFile(
    join(folder, 'tables', 'shared-local-instance.db'),
    'no database at all'.repeat(999),
  );

  const damaged = new Stack(await freePorts(), '--data', folder);
  expect(await damaged.exitCode()).toBe(1);
  expect(damaged.screen).toContain(`unable to read ${join(folder, 'tables')}`);
  expect(damaged.screen).toContain('not a database');
  expect(damaged.screen).not.toContain('    at ');
});
