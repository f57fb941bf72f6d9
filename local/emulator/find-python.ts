import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

type Version = readonly [major: number, minor: number];

/** Versions of Python that a program runs on, both ends included. */
export interface PythonRange {
  readonly oldest: Version;
  /** Without it every newer one will do. */
  readonly newest?: Version;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Prints the version, if virtual environments can be made with it. */
const TELL_VERSION = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';

/** A shim may wait for something to install. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Finds a Python that runs, has its `venv` module, and is of the range. A name on the PATH may be that of a
 * shim that only fails: each candidate is asked for its version.
 * @returns the command, or undefined where there is none.
 */
export async function findPython(
  range: PythonRange,
  environment: Variables,
): Promise<string | undefined> {
  for await (const candidate of candidates(range, environment)) {
    const version = await versionOf(candidate, environment);
    if (version !== undefined && isWithin(range, version)) return candidate;
  }
  return undefined;
}

async function* candidates(range: PythonRange, environment: Variables): AsyncGenerator<string> {
  yield* ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
  yield* await pythonsOfPyenv(environment);
  const { oldest, newest } = range;
  const end = newest === undefined ? '' : `,<${String(newest[0])}.${String(newest[1] + 1)}`;
  const found = await output('uv', ['python', 'find', `>=${oldest.join('.')}${end}`], environment);
  if (found !== undefined) yield found;
}

/** Every version that pyenv has installed, the newest first; those it has not switched on are no commands. */
async function pythonsOfPyenv(environment: Variables): Promise<string[]> {
  const root = await output('pyenv', ['root'], environment);
  if (root === undefined) return [];
  const versions = await readdir(join(root, 'versions')).catch(() => []);
  return versions
    .sort((left, right) => right.localeCompare(left, 'en', { numeric: true }))
    .map((version) => join(root, 'versions', version, 'bin', 'python'));
}

async function versionOf(command: string, environment: Variables): Promise<Version | undefined> {
  const text = (await output(command, ['-c', TELL_VERSION], environment)) ?? '';
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(text) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor)];
}

/** What a command prints; undefined if it is missing, fails or takes too long. */
async function output(
  command: string,
  args: readonly string[],
  environment: Variables,
): Promise<string | undefined> {
  try {
    const options = { env: { ...environment }, timeout: ANSWER_TIMEOUT_MS };
    return (await run(command, args, options)).stdout.trim();
  } catch {
    return undefined;
  }
}

function isWithin({ oldest, newest }: PythonRange, version: Version): boolean {
  return compare(oldest, version) <= 0 && (newest === undefined || compare(version, newest) <= 0);
}

function compare(left: Version, right: Version): number {
  return left[0] - right[0] || left[1] - right[1];
}
