import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stageParameters } from './deployment.ts';

const root = join(import.meta.dirname, '../..');

const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Anchors of a document's headings, as GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(globSync('{*.md,docs/**/*.md}', { cwd: root }).sort())('%s', (path) => {
  test('points to files and headings that there are', () => {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    for (const [link, file = '', anchor] of links) {
      const target = file === '' ? path : join(dirname(path), file);
      expect(existsSync(join(root, target)), link).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(read(target)), link).toContain(anchor);
    }
  });
});

describe('README.md', () => {
  const blocks = [...read('README.md').matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, block = '']) => block,
  );

  test('has commands', () => {
    expect(blocks.length).toBeGreaterThan(5);
  });

  test.each(blocks)('can be pasted into bash and zsh: %s', (block) => {
    // A quoted part may hold anything; outside quotes, zsh expands these characters.
    const bare = block.replaceAll(/'[^']*'|"[^"]*"/g, 'QUOTED');
    expect(bare, 'a comment').not.toMatch(/(^|\s)#/m);
    expect(bare, 'a placeholder').not.toMatch(/<\w+>|\bID\b/);
    expect(bare, 'a pattern of file names').not.toMatch(/[?*[\]]/);
    expect(bare, 'a call of history').not.toContain('!');
  });

  test.each(['bash', 'zsh'])('is read by %s', (shell) => {
    const { error } = spawnSync(shell, ['--version']);
    if (error !== undefined) return;
    for (const block of blocks) {
      const { status, stderr } = spawnSync(shell, ['-n'], { input: block, encoding: 'utf8' });
      expect({ status, stderr }, block).toEqual({ status: 0, stderr: '' });
    }
  });
});

describe('docs/deploy.md', () => {
  const guide = read('docs/deploy.md');

  test('has every parameter made that the stack reads', () => {
    const values = Object.values(stageParameters()).map(String);
    const names = new Set(
      values.flatMap((value) => /\/ordersaga\/\$\{sls:stage\}\/([\w-]+)/.exec(value)?.[1] ?? []),
    );
    expect(names.size).toBe(5);
    for (const name of names) expect(guide).toMatch(new RegExp(`^ +put \\w+ ${name} `, 'm'));
  });

  test('says what has to be set, and where the rest is', () => {
    for (const name of ['GATEWAY_URL', 'OPERATIONS_EMAIL', 'AWS_REGION']) {
      expect(guide).toContain(name);
    }
    expect(guide).toContain('(configuration.md)');
  });

  test('has its steps in order', () => {
    const steps = [...guide.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
    expect(steps).toEqual(steps.map((_step, index) => index + 1));
  });
});
