import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationDocument } from './configuration-document.ts';

/** `npm run docs:settings`: writes docs/configuration.md from the tables of settings. */
const file = join(import.meta.dirname, '..', 'docs', 'configuration.md');
writeFileSync(file, configurationDocument());
process.stdout.write(`${file}\n`);
