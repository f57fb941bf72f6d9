import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationDocument } from './configuration-document.ts';

/** Writes docs/configuration.md from the tables of settings (`npm run docs:settings`). */
const file = join(import.meta.dirname, '..', 'docs', 'configuration.md');
writeFileSync(file, configurationDocument());
process.stdout.write(`${file}\n`);
