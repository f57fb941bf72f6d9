import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderInUseError, lockFolder } from '../../../local/stack/folder-lock.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'folder-lock-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Writes the lock of another process. */
function leaveLock(content: string): void {
  writeFileSync(join(folder, 'lock.json'), content);
}

/** The parent process, which lives as long as the test. */
const OTHER_PID = process.ppid;
/** Higher than any system's process ids. */
const GONE_PID = 2 ** 30;

test('a folder is taken, and given back without a trace', () => {
  const release = lockFolder(folder);
  expect(readdirSync(folder)).toEqual(['lock.json']);
  expect(JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8'))).toMatchObject({
    pid: process.pid,
  });
  release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder that a running process has is refused, by its name and number', () => {
  leaveLock(JSON.stringify({ pid: OTHER_PID }));
  expect(() => lockFolder(folder)).toThrow(FolderInUseError);
  expect(() => lockFolder(folder)).toThrow(
    `${folder} is in use by another stack, process ${String(OTHER_PID)}.`,
  );
  expect(readdirSync(folder)).toEqual(['lock.json']);
});

test.each([
  ['a process that is gone', JSON.stringify({ pid: GONE_PID })],
  ['a number that another process has by now', JSON.stringify({ pid: OTHER_PID, began: '1 boot' })],
  ['this very number, before it was used again', JSON.stringify({ pid: process.pid })],
  ['nobody that can be read', '{"pid":'],
])('the lock of %s is taken over', (_whose, content) => {
  leaveLock(content);
  const release = lockFolder(folder);
  expect(readFileSync(join(folder, 'lock.json'), 'utf8')).toContain(String(process.pid));
  release();
  expect(readdirSync(folder)).toEqual([]);
});
