import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

type Version = readonly [major: number, minor: number];

/** Python versions that a program runs on, both ends included. */
export interface PythonRange {
  readonly oldest: Version;
  /** Absent: every newer version will do. */
  readonly newest?: Version;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Prints the version if this Python can create virtual environments. */
const TELL_VERSION = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';

/** A shim may wait while it installs something. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Finds a Python in the range that runs and has the modules for virtual environments. A name on the PATH may
 * belong to a shim that only fails, so each candidate is asked for its version.
 * @returns the command, or undefined if there is none.
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

/**
 * Every version that pyenv has installed, the newest first. Versions that pyenv has not switched on are not on
 * the PATH.
 */
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

/** Standard output of a command; undefined if it is missing, fails or takes too long. */
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
