import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import config from '../../vitest.config.ts';

const root = join(import.meta.dirname, '../..');

interface Project {
  readonly test: {
    readonly name: string;
    readonly include: readonly string[];
    readonly exclude?: readonly string[];
  };
}

function filesOf({ test: { include, exclude = [] } }: Project): string[] {
  const excluded = new Set(exclude.flatMap((pattern) => globSync(pattern, { cwd: root })));
  return include
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((file) => !excluded.has(file));
}

const projects = config.test?.projects as readonly Project[];
const filesByProject = new Map(
  projects.map((project) => [project.test.name, filesOf(project)] as const),
);

test('every test file belongs to a project, and none that is named in one is missing', () => {
  const all = globSync('tests/**/*.test.ts', { cwd: root });
  expect(new Set([...filesByProject.values()].flat())).toEqual(new Set(all));
  const named = projects.flatMap(({ test: { include, exclude = [] } }) => [...include, ...exclude]);
  for (const pattern of named) expect(globSync(pattern, { cwd: root }), pattern).not.toEqual([]);
});

test('every integration test runs on the embedded stack once in npm run test:all', () => {
  const embedded = [filesByProject.get('smoke'), filesByProject.get('embedded')].flatMap(
    (files) => files ?? [],
  );
  const integration = embedded.filter((file) => file.startsWith('tests/integration/'));
  expect(integration.sort()).toEqual(globSync('tests/integration/*.test.ts', { cwd: root }).sort());
});

test('the tests that tests/README.md names for each promise exist', () => {
  const readme = readFileSync(join(root, 'tests/README.md'), 'utf8');
  const rows = readme.split('\n').filter((line) => /^\| P\d /.test(line));
  expect(rows).toHaveLength(8);
  for (const row of rows) {
    const [, , , integration = '', unit = ''] = row.split('|');
    for (const [folder, column] of [
      ['tests/integration', integration],
      ['tests/unit/lib', unit],
    ] as const) {
      const names = [...column.matchAll(/`([\w/-]+)`/g)].map(([, name = '']) => name);
      expect(names, row).not.toEqual([]);
      for (const name of names) {
        expect(existsSync(join(root, folder, `${name}.test.ts`)), name).toBe(true);
      }
    }
  }
});
