import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartupProblem } from '../stack/startup-problem.ts';
import { findPython, type PythonRange } from './find-python.ts';

const run = promisify(execFile);

class PythonProblem extends StartupProblem {
  override readonly name = 'PythonProblem';
}

/** A Python program with all its dependencies, each file pinned by its hash. */
export interface PythonProgram {
  readonly name: string;
  /** Requirements files for pip, in order of installation: an earlier file may build a later one's distributions. */
  readonly requirements: readonly string[];
  readonly python: PythonRange;
  /** Advice if this machine has no such Python. */
  readonly instead: string;
}

/**
 * Installs a program in a virtual environment of its own, `directory`/venv, unless it is installed already. A
 * changed requirement makes a new environment.
 * @returns the Python that runs it.
 * @throws PythonProblem that names the missing part and the remedy.
 */
export async function installPythonProgram(
  program: PythonProgram,
  directory: string,
): Promise<string> {
  const { name, requirements } = program;
  const environment = join(directory, 'venv');
  const python = join(environment, 'bin', 'python');
  const stamp = join(environment, 'installed');
  const wanted = hashOf(requirements);
  // The Python that made the environment may be gone.
  if (readStamp(stamp) === wanted && existsSync(python)) return python;
  const found = await findPython(program.python, process.env);
  if (found === undefined) throw new PythonProblem(noPython(program));
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  try {
    await run(found, ['-m', 'venv', environment]);
    for (const file of requirements) await run(python, [...PIP_INSTALL, '--requirement', file]);
  } catch (cause) {
    const { stderr = String(cause) } = cause as { readonly stderr?: string };
    throw new PythonProblem(`${name} cannot be installed:\n${stderr.trimEnd()}`, { cause });
  }
  writeFileSync(stamp, wanted);
  return python;
}

/** Pip downloads only files that are named with their hash, even to build something. */
const PIP_INSTALL = [
  ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
  ...['--require-hashes', '--no-deps', '--no-build-isolation'],
];

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function readStamp(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function noPython({ name, python: { oldest, newest }, instead }: PythonProgram): string {
  const first = oldest.join('.');
  const example = (newest ?? oldest).join('.');
  const wanted = newest === undefined ? `${first} or newer` : onlyOrTo(first, example);
  return `${name} needs Python ${wanted}, with its venv module; none was found on the PATH, nor by pyenv or uv.
Install one:
  pyenv            pyenv install ${example}
  uv               uv python install ${example}
  macOS            brew install python@${example}
  Debian, Ubuntu   apt-get install python3-venv, if theirs is of such a version
${instead}`;
}

function onlyOrTo(first: string, last: string): string {
  return first === last ? first : `${first} to ${last}`;
}
