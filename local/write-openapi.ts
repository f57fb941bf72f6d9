import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from '../api-document/open-api.ts';

/** Writes the document that `GET /openapi.json` answers to a file for other tools (`npm run openapi`). */
const file = join(import.meta.dirname, '..', 'openapi.json');
writeFileSync(file, `${JSON.stringify(openApiDocument(), undefined, 2)}\n`);
process.stdout.write(`${file}\n`);
