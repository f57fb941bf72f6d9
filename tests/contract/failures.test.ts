import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EVENTS } from '../../lib/platform/lambda/observe.ts';
import { FAULT_MODE_NAMES } from '../../local/companion/faults/fault-modes.ts';

const root = join(import.meta.dirname, '../..');
const document = readFileSync(join(root, 'docs/failures.md'), 'utf8');

interface Reference {
  readonly file: string;
  readonly words: string;
}

/** Tests named in the last column: "`file` words of its title · words · …". */
function references(): Reference[] {
  const rows = document.split('\n').filter((line) => line.split(' | ').length === 5);
  const cells = rows.map((row) => row.split(' | ').at(-1)?.replace(/ \|$/, '') ?? '');
  return cells
    .filter((cell) => cell !== 'test')
    .flatMap((cell) => {
      let file = '';
      return cell.split(' · ').flatMap((part): Reference[] => {
        const [, named, words = ''] = /^`([\w-]+)` ?(.*)$/.exec(part) ?? [];
        file = named ?? file;
        const wanted = named === undefined ? part : words;
        return wanted.split(', ').map((one) => ({ file, words: one.replaceAll('`', '') }));
      });
    });
}

describe('docs/failures.md', () => {
  test('names a test for every case', () => {
    expect(references().length).toBeGreaterThan(40);
  });

  test.each(references())('names a test that there is: $file, "$words"', ({ file, words }) => {
    const path = join(root, 'tests/integration', `${file}.test.ts`);
    expect(existsSync(path), path).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain(words);
  });

  test.each(FAULT_MODE_NAMES)('names the fault mode %s, as README.md and its test do', (mode) => {
    expect(document).toContain(`\`${mode}\``);
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`\`${mode}\``);
    const tested = readFileSync(join(root, 'tests/integration/fault-modes.test.ts'), 'utf8');
    expect(tested).toContain(`['${mode}', `);
  });

  test('lists everything that operators count, each with its level and dimensions', () => {
    for (const [event, { level, dimensions }] of Object.entries(EVENTS)) {
      const isRow = (line: string) => line.startsWith('| `') && line.split(' | ').length === 3;
      const row = document.split('\n').find((line) => isRow(line) && line.includes(`\`${event}\``));
      expect(row, event).toContain(level);
      for (const dimension of dimensions) expect(row, event).toContain(`\`${dimension}\``);
    }
  });
});
