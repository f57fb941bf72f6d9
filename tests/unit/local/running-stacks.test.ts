import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  announceStack,
  findCompanionUrl,
  findRunningStackAt,
  findRunningStacks,
  SeveralStacksError,
} from '../../../local/stack/running-stacks.ts';
import { startTestCompanion } from '../companion/support.ts';

let folder: string;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'running-')), 'running');
});

afterEach(() => {
  rmSync(join(folder, '..'), { recursive: true });
});

const urls = (port: number) => ({
  apiUrl: `http://127.0.0.1:${String(port)}`,
  companionUrl: `http://127.0.0.1:${String(port + 100)}`,
});

/** Writes the record of another process. */
function leave(pid: number, port: number, began?: string): void {
  mkdirSync(folder, { recursive: true });
  const content = JSON.stringify({ pid, ...(began === undefined ? {} : { began }), ...urls(port) });
  writeFileSync(join(folder, `${String(pid)}.json`), content);
}

const GONE_PID = 2 ** 30;

describe('findRunningStacks', () => {
  it('finds a stack from when it is announced until that is taken back', () => {
    expect(findRunningStacks(folder)).toEqual([]);
    const takeBack = announceStack(urls(4000), folder);
    expect(findRunningStacks(folder)).toEqual([{ pid: process.pid, ...urls(4000) }]);
    takeBack();
    expect(findRunningStacks(folder)).toEqual([]);
  });

  it('forgets stacks that were killed, also where their number is used again', () => {
    leave(GONE_PID, 4000);
    leave(process.ppid, 5000, '1 boot');
    expect(findRunningStacks(folder)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves alone what is half written', () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, '77.json'), '{"pid":');
    expect(findRunningStacks(folder)).toEqual([]);
    expect(readdirSync(folder)).toEqual(['77.json']);
  });
});

it('does not fail a stack that is up because it cannot be written down', () => {
  const takeBack = announceStack(urls(4000), '/dev/null/running');
  expect(takeBack).not.toThrow();
});

describe('findCompanionUrl', () => {
  it.each([
    [{ COMPANION_URL: 'http://else:1', COMPANION_PORT: '2' }, 'http://else:1'],
    [{ COMPANION_PORT: '4200' }, 'http://localhost:4200'],
    [{}, 'http://127.0.0.1:4100'],
    [{ API_PORT: '4000' }, 'http://127.0.0.1:4100'],
    [{ API_PORT: '4001' }, 'http://localhost:3100'],
  ])('by the variables %j beside a stack on 4000: %s', (variables, url) => {
    leave(process.ppid, 4000);
    expect(findCompanionUrl(variables, folder)).toBe(url);
  });

  it('is the default where none has written itself down', () => {
    expect(findCompanionUrl({}, folder)).toBe('http://localhost:3100');
  });

  it('names all where several run, unless one is meant', () => {
    leave(process.pid, 4000);
    leave(process.ppid, 5000);
    expect(() => findCompanionUrl({}, folder)).toThrow(SeveralStacksError);
    expect(() => findCompanionUrl({}, folder)).toThrow('COMPANION_URL=http://127.0.0.1:4100');
    expect(() => findCompanionUrl({}, folder)).toThrow('COMPANION_URL=http://127.0.0.1:5100');
    expect(findCompanionUrl({ API_PORT: '5000' }, folder)).toBe('http://127.0.0.1:5100');
  });

  it('is the one on the default ports beside others', () => {
    leave(process.pid, 3000);
    leave(process.ppid, 5000);
    expect(findCompanionUrl({}, folder)).toBe('http://127.0.0.1:3100');
  });
});

describe('findRunningStackAt', () => {
  it('tells a companion from what else may listen there', async () => {
    const companion = await startTestCompanion({ host: 'localhost' });
    onTestFinished(() => companion.stop());
    expect(await findRunningStackAt(companion.port, folder)).toMatchObject({
      companionUrl: companion.url,
    });
    await companion.stop();
    expect(await findRunningStackAt(companion.port, folder)).toBeUndefined();
  });

  it('says where its API is, as it has written down', async () => {
    const companion = await startTestCompanion({ host: 'localhost' });
    onTestFinished(() => companion.stop());
    leave(process.ppid, companion.port - 100);
    expect(await findRunningStackAt(companion.port, folder)).toMatchObject({
      apiUrl: `http://127.0.0.1:${String(companion.port - 100)}`,
    });
  });
});
