// Bundles all functions in one run. esbuild splits them into shared ES modules, and each module is converted to
// CommonJS once. Then each function gets its modules in two files: the first holds the static imports, the second
// the imports on demand.
const { readFileSync } = require('node:fs');
const { join, posix, relative } = require('node:path');
const { build, transform } = require('esbuild');
const { decode, encode } = require('@jridgewell/sourcemap-codec');

const SETTINGS = {
  minify: true,
  platform: 'node',
  target: 'node24',
  logLevel: 'warning',
};

const INLINE_MAP = /^\/\/# sourceMappingURL=data:.*$/m;

const isOwn = (source) => !source.includes('node_modules/');

/**
 * @param {string} root the project's folder.
 * @param {readonly string[]} entries files in it, such as `functions/orders/place-order.ts`.
 * @returns {Promise<Map<string, Bundle>>} the bundle of each entry.
 *
 * @typedef {object} Bundle
 * @property {Map<string, string>} files text by path in the archive; the function's own file comes first.
 * @property {string[]} early sources that are loaded at the start: `node_modules/zod/…`, `lib/…`.
 * @property {string[]} later sources that are loaded on demand.
 */
async function bundleFunctions(root, entries) {
  const { outputFiles, metafile } = await build({
    ...SETTINGS,
    absWorkingDir: root,
    entryPoints: [...entries],
    outbase: root,
    outdir: root,
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    chunkNames: 'chunks/[hash]',
    // Prefers a library's ES modules: esbuild removes unused parts only from those.
    mainFields: ['module', 'main'],
    sourcemap: 'inline',
    sourcesContent: false,
    metafile: true,
    plugins: [renderedTexts],
  });
  const modules = new Map();
  // Runs one at a time, which is as fast and needs less memory.
  for (const { path, text } of outputFiles) {
    const id = relative(root, path);
    modules.set(id, await toCommonJs(id, text, metafile.outputs[id]));
  }
  const prelude = await transform(readFileSync(join(__dirname, 'map-stack-traces.cjs'), 'utf8'), {
    ...SETTINGS,
    format: 'cjs',
  });
  const head = `{${prelude.code.trim()}}const modules={__proto__:null,`;
  return new Map(
    entries.map((entry) => [entry, link(modules, entry.replace(/\.ts$/, '.js'), head)]),
  );
}

/** Runs modules named `rendered-*`, which hold only texts, at build time and replaces them by their values. */
const renderedTexts = {
  name: 'rendered-texts',
  setup({ onLoad }) {
    onLoad({ filter: /[/]rendered-[\w-]+\.ts$/ }, async ({ path }) => {
      const { outputFiles } = await build({
        ...SETTINGS,
        entryPoints: [path],
        bundle: true,
        format: 'cjs',
        write: false,
      });
      const module = { exports: {} };
      new Function('module', 'require', outputFiles[0].text)(module, require);
      const constants = Object.entries(module.exports).map(
        ([name, value]) => `export const ${name} = ${JSON.stringify(value)};`,
      );
      return { contents: constants.join('\n') };
    });
  },
};

/** Converts one module of the build. The others know it by its `id`, which is its path in the build. */
async function toCommonJs(id, text, { imports, inputs }) {
  const idOf = (path) => posix.join(posix.dirname(id), path);
  const used = Object.keys(inputs).filter((input) => inputs[input].bytesInOutput > 0);
  const isMapped = used.some(isOwn);
  const { code, map } = await transform(isMapped ? text : text.replace(INLINE_MAP, ''), {
    ...SETTINGS,
    format: 'cjs',
    // An import on demand becomes a call of the loader below: Node itself would look for a file.
    supported: { 'dynamic-import': false },
    sourcefile: id,
    sourcemap: isMapped ? 'external' : false,
    sourcesContent: false,
  });
  const imported = (kind) =>
    imports.flatMap((one) => (one.kind === kind && !one.external ? [one.path] : []));
  return {
    code,
    early: imported('import-statement'),
    later: imported('dynamic-import'),
    inputs: used,
    map: isMapped ? ownPart(JSON.parse(map), idOf) : [],
  };
}

/**
 * Reduces a source map to the project's own files. The libraries' part is five times as large, and every cold
 * start would read it.
 */
function ownPart({ sources, mappings }, idOf) {
  const paths = sources.map(idOf);
  return decode(mappings).map((segments) => {
    let isNowhere = true;
    return segments.flatMap(([column, source, ...place]) => {
      const wasNowhere = isNowhere;
      isNowhere = source === undefined || !isOwn(paths[source]);
      if (!isNowhere) return [[column, paths[source], ...place.slice(0, 2)]];
      // A segment with a single field marks code without a source.
      return wasNowhere ? [] : [[column]];
    });
  });
}

/** All modules that are loaded together with these, in the order of discovery. */
function closure(modules, ids, known = new Set()) {
  const found = new Set();
  const visit = (id) => {
    if (found.has(id) || known.has(id)) return;
    found.add(id);
    for (const next of modules.get(id).early) visit(next);
  };
  for (const id of ids) visit(id);
  return found;
}

function link(modules, entry, head) {
  const early = closure(modules, [entry]);
  const later = new Set();
  for (let ids = early; ids.size > 0; ) {
    const asked = [...ids].flatMap((id) => modules.get(id).later);
    ids = closure(modules, asked, new Set([...early, ...later]));
    for (const id of ids) later.add(id);
  }
  const laterFile = entry.replace(/\.js$/, '.later.js');
  const files = new Map(written(entry, modules, early, head, loader(entry, laterFile)));
  if (later.size > 0) {
    for (const file of written(laterFile, modules, later, 'module.exports={', '};')) {
      files.set(...file);
    }
  }
  const inputsOf = (ids) => [...ids].flatMap((id) => modules.get(id).inputs).sort();
  return { files, early: inputsOf(early), later: inputsOf(later) };
}

/**
 * Loads the build's own modules from the two files, each once, and all other modules from Node. The last part of
 * a path identifies a module, because chunks are named by a hash.
 */
const loader = (entry, laterFile) => `};
const loaded={__proto__:null};
function load(path){
if(path[0]!==".")return require(path);
const id=path.slice(path.lastIndexOf("/")+1);
const known=loaded[id];
if(known)return known.exports;
if(!modules[id])Object.assign(modules,require(${JSON.stringify(`./${posix.basename(laterFile)}`)}));
const module=loaded[id]={exports:{}};
modules[id](module.exports,module,load);
return module.exports}
module.exports=load(${JSON.stringify(`./${posix.basename(entry)}`)});`;

/** Writes one file and its source map. Each module stands on lines of its own, so that its map stays valid. */
function written(file, modules, ids, head, foot) {
  const lines = `"use strict";${head}`.split('\n');
  const mappings = lines.map(() => []);
  const sources = new Map();
  for (const id of ids) {
    const { code, map } = modules.get(id);
    // The parenthesis makes V8 compile the module's code at once, instead of twice.
    lines.push(`${JSON.stringify(posix.basename(id))}:(function(exports,module,require){`);
    mappings.push([]);
    const body = code.trimEnd().split('\n');
    for (const [index, line] of body.entries()) {
      lines.push(line);
      mappings.push(
        (map[index] ?? []).map(([column, source, ...place]) => {
          if (source === undefined) return [column];
          if (!sources.has(source)) sources.set(source, sources.size);
          return [column, sources.get(source), ...place];
        }),
      );
    }
    lines.push('}),');
    mappings.push([]);
  }
  const back = posix.relative(posix.dirname(file), '');
  const map = {
    version: 3,
    sources: [...sources.keys()].map((source) => `${back}/${source}`),
    names: [],
    mappings: encode(mappings),
  };
  // The code has no sourceMappingURL comment: with source maps enabled, Node would read the map at the start.
  lines.push(foot, '');
  return [
    [file, lines.join('\n')],
    [`${file}.map`, JSON.stringify(map)],
  ];
}

module.exports = { bundleFunctions };
