import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { routeLogs } from '../../../local/stack/log-router.ts';

describe('routeLogs', () => {
  it('takes log lines off both streams and leaves words for people, until it is stopped', async () => {
    const shown: string[] = [];
    const original = process.stdout.write.bind(process.stdout);
    process.stdout.write = (chunk: unknown) => {
      shown.push(String(chunk));
      return true;
    };
    onTestFinished(() => {
      process.stdout.write = original;
    });

    const log = routeLogs();
    process.stdout.write('ready\n');
    process.stdout.write('{"level":"INFO"}\n');
    process.stderr.write('{"level":"ERROR"}\n');
    process.stdout.write('{ not: "a log line" }\n');
    await log.stop();
    process.stdout.write('{"level":"INFO","message":"after the end"}\n');

    expect(log.lines()).toEqual(['{"level":"INFO"}', '{"level":"ERROR"}']);
    expect(shown).toEqual([
      'ready\n',
      '{ not: "a log line" }\n',
      '{"level":"INFO","message":"after the end"}\n',
    ]);
  });

  it('tells whoever wrote a line that it is written', async () => {
    const log = routeLogs();
    await new Promise((resolve) => process.stdout.write('{"level":"INFO"}\n', resolve));
    await log.stop();
    expect(log.lines()).toEqual(['{"level":"INFO"}']);
  });

  it('writes a file, making its folder, and goes on with an earlier one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'log-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'deep', 'ordersaga.log');
    for (const line of ['{"run":1}', '{"run":2}']) {
      const log = routeLogs(file);
      log.append(line);
      await log.stop();
    }
    expect(await readFile(file, 'utf8')).toBe('{"run":1}\n{"run":2}\n');
  });

  it('begins another file before one grows too long, and keeps the previous one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'log-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'ordersaga.log');
    for (const lines of [
      ['11111111', '22222222', '33333333'],
      ['44444444', '55555555'],
    ]) {
      const log = routeLogs(file, 20);
      for (const line of lines) log.append(line);
      await log.stop();
    }
    expect(await readFile(`${file}.1`, 'utf8')).toBe('33333333\n44444444\n');
    expect(await readFile(file, 'utf8')).toBe('55555555\n');
  });

  it.skipIf(!existsSync('/dev/full'))('says once that it cannot write, and goes on', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => {
      said.mockRestore();
    });
    const log = routeLogs('/dev/full');
    for (const line of ['{"run":1}', '{"run":2}']) log.append(line);
    await log.stop();
    expect(log.lines()).toEqual(['{"run":1}', '{"run":2}']);
    expect(said.mock.calls).toEqual([
      [expect.stringMatching(/^The log \/dev\/full cannot be written \(.*ENOSPC/)],
    ]);
  });

  it('forgets the oldest lines', async () => {
    const log = routeLogs();
    for (let line = 1; line <= 9000; line += 1) log.append(String(line));
    await log.stop();
    expect(log.lines()).toHaveLength(2000);
    expect(log.lines().at(-1)).toBe('9000');
  });
});
