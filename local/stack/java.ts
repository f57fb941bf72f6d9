import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartupProblem } from './startup-problem.ts';

/** DynamoDB Local is compiled for Java 17. */
const OLDEST_JAVA = 17;

const HOW_TO_GET_JAVA = `Get a newer one:
  Debian, Ubuntu   sudo apt-get install openjdk-17-jre-headless
  Fedora           sudo dnf install java-17-openjdk-headless
  macOS            brew install openjdk@17
or run everything in a container, Java included:
  docker compose up app`;

export class JavaProblem extends StartupProblem {
  override readonly name = 'JavaProblem';
  /** One clause that says what is wrong with this machine's Java. */
  readonly finding: string;

  constructor(finding: string, options?: ErrorOptions) {
    super(
      `DynamoDB Local needs Java ${String(OLDEST_JAVA)} or newer; ${finding}.\n${HOW_TO_GET_JAVA}`,
      options,
    );
    this.finding = finding;
  }
}

/** The Java of JAVA_HOME if it is set, otherwise the first `java` on the PATH. */
export function javaCommand(environment: Readonly<Record<string, string | undefined>>): string {
  const home = environment['JAVA_HOME'];
  return home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
}

/**
 * Asks the command for its version.
 * @throws JavaProblem if it is missing, does not run or is too old.
 */
export async function checkJava(command: string): Promise<void> {
  const version = await readVersion(command);
  const major = majorOf(version);
  if (major === undefined) {
    throw new JavaProblem(`the version that ${command} gives is unreadable: ${version}`);
  }
  if (major < OLDEST_JAVA) throw new JavaProblem(`${command} is Java ${String(major)}`);
}

async function readVersion(command: string): Promise<string> {
  try {
    const { stderr, stdout } = await promisify(execFile)(command, ['-version']);
    return `${stderr}${stdout}`.trim();
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new JavaProblem(
      isMissing ? `${command} was not found` : `${command} is there but does not run`,
      { cause },
    );
  }
}

/** Parses the major version: `17` of `openjdk version "17.0.15"`, and `8` of `java version "1.8.0_402"`. */
function majorOf(version: string): number | undefined {
  const major = /version "(?:1\.)?(\d+)/.exec(version)?.[1];
  return major === undefined ? undefined : Number(major);
}
