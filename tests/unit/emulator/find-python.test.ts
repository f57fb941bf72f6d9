import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findPython } from '../../../local/emulator/find-python.ts';
import { installPythonProgram } from '../../../local/emulator/install-python-program.ts';

const RANGE = { oldest: [3, 12], newest: [3, 13] } as const;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ordersaga-python-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Writes an executable that runs the lines in a shell.
 * @returns its path.
 */
function command(name: string, ...lines: string[]): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(path, 0o755);
  return path;
}

const find = (range: Parameters<typeof findPython>[0] = RANGE) =>
  findPython(range, { PATH: join(folder, 'bin') });

describe.skipIf(process.platform === 'win32')('a Python is found', () => {
  test('by its usual name if it is of the range', async () => {
    command('bin/python3', 'echo 3.12');
    expect(await find()).toBe('python3');
  });

  test('by the name of its version if the usual one is too old or too new', async () => {
    command('bin/python3', 'echo 3.14');
    command('bin/python3.12', 'echo 3.12');
    command('bin/python3.11', 'echo 3.11');
    expect(await find()).toBe('python3.12');
  });

  test('behind shims that fail, among the versions of pyenv, the newest that fits', async () => {
    command('bin/python3', 'echo 3.11');
    command('bin/python3.13', 'echo "pyenv: python3.13: command not found" >&2', 'exit 127');
    command('bin/python3.12', 'echo "pyenv: python3.12: command not found" >&2', 'exit 127');
    command('bin/pyenv', `echo ${folder}/pyenv`);
    command('pyenv/versions/2.7.18/bin/python', 'echo 2.7');
    command('pyenv/versions/3.9.18/bin/python', 'echo 3.9');
    command('pyenv/versions/3.12.1/bin/python', 'echo 3.12');
    const newest = command('pyenv/versions/3.13.0/bin/python', 'echo 3.13');
    command('pyenv/versions/3.14.2/bin/python', 'echo 3.14');
    expect(await find()).toBe(newest);
  });

  test('where pyenv has a version whose venv module is missing, as the next older one', async () => {
    command('bin/pyenv', `echo ${folder}/pyenv`);
    command('pyenv/versions/3.13.0/bin/python', 'echo ModuleNotFoundError >&2', 'exit 1');
    const older = command('pyenv/versions/3.12.1/bin/python', 'echo 3.12');
    expect(await find()).toBe(older);
  });

  test('by uv, which is asked for the range', async () => {
    const python = command('uv/python', 'echo 3.13');
    command('bin/uv', `test "$*" = "python find >=3.12,<3.14" && echo ${python}`);
    expect(await find()).toBe(python);
  });

  test('of any newer version if the range has no end', async () => {
    command('bin/python3', 'echo 3.20');
    expect(await find({ oldest: [3, 10] })).toBe('python3');
  });

  test('nowhere on a machine that has none', async () => {
    expect(await find()).toBeUndefined();
  });

  test('nowhere if every version is out of the range', async () => {
    command('bin/python3', 'echo 3.11');
    command('bin/python3.14', 'echo 3.14');
    expect(await find()).toBeUndefined();
  });
});

test('where there is none, the program says so by name, what to install, and what goes without', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = join(folder, 'bin');
  try {
    const requirements = join(folder, 'requirements.txt');
    writeFileSync(requirements, '');
    const program = {
      name: 'Emulator',
      requirements: [requirements],
      python: RANGE,
      instead: 'Or do without.',
    };
    await expect(installPythonProgram(program, folder)).rejects.toThrow(
      /Emulator needs Python 3\.12 to 3\.13(.|\n)*pyenv install 3\.13(.|\n)*Or do without\./,
    );
  } finally {
    process.env['PATH'] = path;
  }
});
