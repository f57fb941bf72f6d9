import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** As GitHub makes them of headings. */
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

describe('docs/deploy.md', () => {
  const guide = read('docs/deploy.md');
  const template = read('serverless.yml');

  test('has every parameter made that the stack reads', () => {
    const uses = [...template.matchAll(/\/ordersaga\/\$\{sls:stage\}\/([\w-]+)/g)];
    const names = new Set(uses.map(([, name = '']) => name));
    expect(names.size).toBe(5);
    for (const name of names) expect(guide).toMatch(new RegExp(`^ +put \\w+ ${name} `, 'm'));
  });

  test('says what has to be set, and what may be', () => {
    const named = [...template.matchAll(/\$\{env:(\w+)|, env:(\w+)\}/g)];
    const names = new Set(named.map(([, first, second]) => first ?? second ?? ''));
    // Of the stage `local` alone.
    names.delete('LOCAL_PARAMETERS');
    for (const name of names) expect(guide).toContain(name);
  });

  test('has its steps in order', () => {
    const steps = [...guide.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
    expect(steps).toEqual(steps.map((_step, index) => index + 1));
  });
});
