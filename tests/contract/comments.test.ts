import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headlessComments } from './headless-comments.ts';

const root = join(import.meta.dirname, '../..');

/** Headless comments that the repository tolerates. */
const LIMIT = 10;

const CHECKED = ['*.ts', '*.cjs', '*.js', '*.yml', '*.sh', '*.py', '*Dockerfile', '.ci'];

it('comments begin with a noun or a verb, and conditions with "if"', () => {
  const places = trackedFiles(CHECKED).flatMap((file) =>
    headlessComments(file, readFileSync(join(root, file), 'utf8')).map(
      ({ line, words }) => `${file}:${String(line)}  ${words}`,
    ),
  );
  const report = `${String(places.length)} headless comments:\n${places.join('\n')}\n`;
  expect(places.length, report).toBeLessThanOrEqual(LIMIT);
});

function trackedFiles(patterns: readonly string[]): string[] {
  const names = execFileSync('git', ['ls-files', '-z', '--', ...patterns], {
    cwd: root,
    encoding: 'utf8',
  });
  return names.split('\0').filter((name) => name !== '');
}

function openings(file: string, ...lines: readonly string[]) {
  return headlessComments(file, lines.join('\n')).map(
    ({ line, words }) => `${String(line)} ${words}`,
  );
}

describe('headless comments', () => {
  it('finds them in every kind of TypeScript comment', () => {
    expect(
      openings(
        'order.ts',
        '/** What the order costs. */',
        'const a = 1; // how long it takes',
        '// When the payment is late, the saga voids it.',
        '/*',
        ' * Releases the stock.',
        ' *',
        ' * So many units are left.',
        ' */',
        'function f(/* Whoever calls */ b: number) {',
        '  return [b /* Which one */];',
        '  // Whether it is there.',
        '}',
      ),
    ).toEqual([
      '1 What the order costs.',
      '2 how long it takes',
      '3 When the payment is late, the saga voids it.',
      '7 So many units are left.',
      '9 Whoever calls',
      '10 Which one',
      '11 Whether it is there.',
    ]);
  });

  it('finds them behind the tags of a docstring', () => {
    expect(
      openings(
        'pay.ts',
        '/**',
        ' * Charges the payment.',
        ' * @param isLate whether it is late',
        ' * @returns what was charged',
        ' */',
      ),
    ).toEqual(['3 whether it is late', '4 what was charged']);
  });

  it('finds them in YAML, shell, Dockerfiles and Python', () => {
    expect(openings('alarms.yml', 'a: 1', '  # Where alarms go.')).toEqual(['2 Where alarms go.']);
    expect(openings('.ci/run', '#!/bin/sh', 'date', '# What runs')).toEqual(['3 What runs']);
    expect(
      openings(
        'run.py',
        'def f():',
        '    """How many there are."""',
        'def g():',
        '    """Counts them.',
        '',
        '    For so long it waits.',
        '    """',
        '    # Who asks',
      ),
    ).toEqual(['2 How many there are.', '6 For so long it waits.', '8 Who asks']);
  });

  it('leaves healthy comments, code and strings alone', () => {
    expect(
      openings(
        'healthy.ts',
        '/** Releases the stock of an order. */',
        "const url = 'http://example.com'; // An address that",
        'const text = `// What a template holds`;',
        'const pattern = /\\/\\/ What a pattern holds/;',
        '// If the payment is late, the saga reads the order again. The dispatcher retries',
        '// what is left.',
        '/** However the process ends. */',
        '// Whatsoever',
      ),
    ).toEqual([]);
    expect(
      openings(
        'healthy.yml',
        'a: "# What a text holds"',
        'b: 2',
        '# The queue, from',
        '# where it is read.',
      ),
    ).toEqual([]);
  });
});
