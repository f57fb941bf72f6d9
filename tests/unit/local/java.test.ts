import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJava, JavaProblem, javaCommand } from '../../../local/stack/java.ts';

describe('checkJava', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'java-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function javaThat(does: string): Promise<string> {
    const command = join(folder, 'java');
    await writeFile(command, `#!/bin/sh\n${does}\n`);
    await chmod(command, 0o755);
    return command;
  }

  it.each(['openjdk version "17.0.15" 2025-04-15', 'openjdk version "25" 2025-09-16'])(
    'accepts %s',
    async (version) => {
      const command = await javaThat(`echo '${version}' >&2`);
      await expect(checkJava(command)).resolves.toBeUndefined();
    },
  );

  it.each([
    ['java version "1.8.0_402"', 'is Java 8.'],
    ['openjdk version "11.0.2" 2019-01-15', 'is Java 11.'],
    ['no such thing', 'unreadable'],
  ])('refuses %s and says how to get a newer one', async (version, finding) => {
    const command = await javaThat(`echo '${version}' >&2`);
    const problem: unknown = await checkJava(command).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(JavaProblem);
    expect(String(problem)).toContain('Java 17 or newer');
    expect(String(problem)).toContain(finding);
    expect(String(problem)).toContain('apt-get install openjdk-17-jre-headless');
    expect(String(problem)).toContain('brew install openjdk@17');
    expect(String(problem)).toContain('docker compose');
  });

  it('tells a missing one from one that does not run', async () => {
    await expect(checkJava(join(folder, 'missing'))).rejects.toThrow('was not found');
    await expect(checkJava(await javaThat('exit 1'))).rejects.toThrow('does not run');
  });
});

describe('javaCommand', () => {
  it('takes the one of JAVA_HOME, else that of the PATH', () => {
    expect(javaCommand({ JAVA_HOME: '/opt/java' })).toBe(join('/opt/java', 'bin', 'java'));
    expect(javaCommand({ JAVA_HOME: '' })).toBe('java');
    expect(javaCommand({})).toBe('java');
  });
});
