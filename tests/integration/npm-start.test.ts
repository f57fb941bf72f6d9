import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { eventually } from '../support/stack.ts';

let npm: ChildProcess | undefined;

afterEach(() => {
  npm?.kill('SIGTERM');
  npm?.stdout?.destroy();
});

/** All descendants of a process, as the kernel lists them. */
function descendants(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
  return [...children, ...children.flatMap(descendants)];
}

function parentOf(pid: string): number | undefined {
  try {
    // "pid (command) state ppid …"; the command may contain anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  'npm start ends on %s to npm itself, and leaves no process',
  async (signal) => {
    const ports = await freePorts();
    npm = spawn('npm', ['start'], {
      env: { ...process.env, ...ports },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let screen = '';
    npm.stdout?.on('data', (chunk) => {
      screen += String(chunk);
    });
    await eventually(() => {
      expect(screen).toContain('Ctrl-C stops everything');
    });
    const api = `http://127.0.0.1:${ports['API_PORT'] ?? ''}`;
    expect((await fetch(`${api}/health`)).status).toBe(200);
    // The server's own refusals are problems too.
    const refused = await fetch(`${api}/order/%ff`);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.headers.get('x-correlation-id')).not.toBeNull();

    const below = descendants(npm.pid ?? 0);
    expect(below.length).toBeGreaterThan(0);
    const exited = once(npm, 'exit');
    npm.kill(signal);
    const [code] = (await exited) as [number | null];
    expect(code).toBe(0);
    await eventually(() => {
      expect(below.filter(isAlive)).toEqual([]);
    });
  },
);
