import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const platform = join(import.meta.dirname, '../../lib/platform');

/** Words of the services that stand on the platform. */
const WORDS = /order|stock|payment|inventory|reservation|product|charge|refund|saga/gi;
/** Other uses of these words: the project's name, and a term of Unicode. */
const NEUTRAL = /ordersaga|byte[ _]order[ _]mark/gi;

/** Tables of names that all services share, and the subject of a message. */
const EXCEPTIONS = [
  'config.ts',
  'lambda/consume.ts',
  'lambda/observe.ts',
  'settings.ts',
  'template-settings.ts',
];

test('lib/platform has no word of orders, payments or stock', () => {
  const files = globSync('**/*.ts', { cwd: platform });
  expect(files.length).toBeGreaterThan(20);
  const withWords = files.filter((file) =>
    readFileSync(join(platform, file), 'utf8').replaceAll(NEUTRAL, '').match(WORDS),
  );
  expect(withWords.sort()).toEqual(EXCEPTIONS);
});
