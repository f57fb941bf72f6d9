// Loads TypeScript of lib/ into the serverless CLI, on any version of Node.js.
const { join } = require('node:path');
const { buildSync } = require('esbuild');

/**
 * Loads a module of this repository by its path from the repository's root.
 * @returns its exports.
 */
module.exports = function loadTypeScript(path) {
  const { outputFiles } = buildSync({
    entryPoints: [join(__dirname, '..', path)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  });
  const loaded = { exports: {} };
  new Function('module', 'exports', 'require', outputFiles[0].text)(
    loaded,
    loaded.exports,
    require,
  );
  return loaded.exports;
};
