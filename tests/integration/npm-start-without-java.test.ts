import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';

const NEEDED = ['node', 'npm', 'sh', 'git'];

let folder = '';
let npm: ChildProcess | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'no-java-'));
  for (const command of NEEDED) {
    const found = (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((directory) => join(directory, command))
      .find((path) => existsSync(path));
    if (found !== undefined) await symlink(found, join(folder, command));
  }
});

afterEach(() => {
  npm?.kill('SIGTERM');
  npm?.stdout?.destroy();
});

afterAll(() => rm(folder, { recursive: true }));

/** `npm start` on a machine without Java, with its output. */
async function npmStart(...options: string[]) {
  const { JAVA_HOME: _without, STORE: _chosen, ...environment } = process.env;
  const ports = await freePorts();
  const child = spawn(join(folder, 'npm'), ['start', '--', ...options], {
    env: { ...environment, ...ports, PATH: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  npm = child;
  const screen = { text: '' };
  const read = (chunk: Buffer) => {
    screen.text += chunk.toString();
  };
  child.stderr.on('data', read);
  child.stdout.on('data', read);
  return { child, ports, screen };
}

test('npm start without Java comes up, says where its tables are, and ends', async () => {
  const { child, ports, screen } = await npmStart();
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => {
      if (screen.text.includes('Ctrl-C stops everything')) resolve();
    });
    child.once('exit', () => {
      reject(new Error(`It does not start:\n${screen.text}`));
    });
  });
  const lines = screen.text.split('\n').filter((line) => line.startsWith('Tables are'));
  expect(lines).toEqual([expect.stringContaining('in memory (java was not found)')]);
  const api = `http://127.0.0.1:${ports['API_PORT'] ?? ''}`;
  expect((await fetch(`${api}/health`)).status).toBe(200);

  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('npm start -- --data DIR without Java is refused by name, with what to do', async () => {
  const data = join(folder, 'data');
  const { child, screen } = await npmStart('--data', data);
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(1);
  expect(screen.text).toContain('--data DIR needs DynamoDB Local');
  expect(screen.text).toContain('sudo apt-get install openjdk-17-jre-headless');
  expect(existsSync(data)).toBe(false);
});
