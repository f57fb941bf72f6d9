import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runNode } from '../companion/run-node.ts';

const RUNNER = 'local/run-script.cjs';
/** A Node.js from before it could run TypeScript. */
const OLD = '--no-experimental-strip-types';

function scriptThat(code: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'run-script-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'script.ts'), code);
  return relative(process.cwd(), join(folder, 'script.ts'));
}

describe('run-script', () => {
  it.each([[['local/start.ts']], [[]]])(
    'tells a Node.js that cannot read TypeScript what to do: %j',
    async (args) => {
      const { exitCode, stdout, stderr } = await runNode([OLD, RUNNER, ...args]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain(`This is Node.js ${process.versions.node}, which cannot run`);
      expect(stderr).toContain('\n  npm rebuild node esbuild --ignore-scripts=false\n');
      expect(stderr).not.toContain('    at ');
    },
  );

  it('runs the file as if Node.js had been started with it', async () => {
    const script = scriptThat(
      'const words: string[] = process.argv.slice(2); console.log(process.argv[1], words);',
    );
    const { exitCode, stdout, stderr } = await runNode([RUNNER, script, '--data', 'a b']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(`${join(process.cwd(), script)} [ '--data', 'a b' ]\n`);
  });

  it('shows the trace of a file that fails', async () => {
    const { exitCode, stderr } = await runNode([RUNNER, scriptThat("throw new Error('broken');")]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Error: broken\n    at ');
  });

  it('is what every npm script begins with that a Node.js has to read', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const own = Object.entries(scripts).filter(
      ([name, script]) => script.includes('.ts') || /^(test|check)/.test(name),
    );
    const parts = own.filter(([name]) => name.startsWith('check:'));
    expect(own.length).toBeGreaterThan(parts.length + 10);
    for (const [name, script] of own) {
      if (!name.startsWith('check:'))
        expect(script, name).toMatch(/^(exec )?node local\/run-script/);
    }
  });
});
