import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { eventually } from '../support/stack.ts';

const root = join(import.meta.dirname, '../..');
const manifest = createRequire(import.meta.url).resolve('serverless/package.json');
const cli = join(dirname(manifest), 'bin', 'serverless.js');

let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGTERM');
  child?.stdout?.destroy();
});

function serverless(
  words: readonly string[],
  variables: Record<string, string> = {},
): ChildProcess {
  child = spawn(process.execPath, [cli, ...words], {
    cwd: root,
    env: { ...process.env, STORE: 'memory', ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return child;
}

async function screenOf(running: ChildProcess, until?: string): Promise<string> {
  let screen = '';
  for await (const chunk of running.stdout ?? []) {
    screen += String(chunk);
    if (until !== undefined && screen.includes(until)) break;
  }
  return screen;
}

describe.each([
  ['offline', 'SIGINT'],
  ['offline start', 'SIGTERM'],
  // After a SIGKILL, the CLI cannot notify anybody.
  ['offline', 'SIGKILL'],
] as const)('serverless %s', (command, signal) => {
  test(`takes orders at its port, and leaves nothing behind on ${signal}`, async () => {
    const { API_PORT: port = '', ...others } = await freePorts();
    const words = [...command.split(' '), '--httpPort', port, '--noPrependStageInUrl'];
    const running = serverless(words, others);
    const screen = await screenOf(running, 'Ctrl-C stops everything');
    const api = `http://127.0.0.1:${port}`;
    const token = /TOKEN=(\S+)/.exec(screen)?.[1] ?? '';
    const placed = await fetch(`${api}/order`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, prefer: 'wait=10' },
      body: JSON.stringify({ items: [{ productId: 'prod-coffee', quantity: 1 }] }),
    });
    expect([placed.status, await placed.json()]).toMatchObject([
      201,
      { status: 'PENDING_PAYMENT' },
    ]);

    const exited = once(running, 'exit');
    running.kill(signal);
    const [code] = (await exited) as [number | null];
    expect(code).toBe(signal === 'SIGKILL' ? null : 0);
    for (const open of [port, others['COMPANION_PORT'] ?? '', others['DYNAMODB_PORT'] ?? '']) {
      await eventually(() => expect(fetch(`http://127.0.0.1:${open}/`)).rejects.toThrow());
    }
  });
});

test.each([
  [['offline', '--prefix', 'shop', '--noAuth'], /--prefix: .*--noAuth: .*npm run -s token/],
  [['offline', '--stage', 'prod'], /--stage prod: `serverless offline` runs the stage local only/],
  [['invoke', 'local', '-f', 'placeOrder'], /run `npm start` and call it over HTTP/],
])('serverless %j is refused in a sentence', async (words, sentence) => {
  const running = serverless(words);
  const exited = once(running, 'exit');
  const screen = await screenOf(running);
  expect(screen).toMatch(sentence);
  expect(screen).not.toMatch(/^ {4}at /m);
  expect(await exited).toEqual([1, null]);
});
