// Runs a TypeScript file: `node local/run-script.cjs [FILE [ARGUMENTS]]`. Without a file it only checks the Node.js
// version. npm scripts use the Node.js of the package "node". If npm runs no install scripts, that one is missing,
// and the machine's own Node.js may be too old for TypeScript. So this file is plain JavaScript.
'use strict';

const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

if (!process.features.typescript) {
  process.stderr.write(
    `This is Node.js ${process.versions.node}, which cannot run TypeScript; ordersaga brings a newer one of its own.\n` +
      'That one is not installed, because the install scripts of its packages did not run. Install it:\n\n' +
      '  npm rebuild node esbuild --ignore-scripts=false\n',
  );
  process.exit(1);
}

const [file] = process.argv.splice(2, 1);
if (file !== undefined) {
  const path = join(process.cwd(), file);
  // Arguments as if Node had been started with the file.
  process.argv.splice(1, 1, path);
  import(pathToFileURL(path).href).catch((error) => {
    console.error(error);
    process.exit(1);
  });
}
