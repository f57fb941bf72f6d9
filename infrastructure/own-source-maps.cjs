// Source maps that lead to the project's own files only. A library's part of them would be five times
// the rest, and every cold start reads the whole map. A stack trace still names a library's function.
const { readFile, writeFile } = require('node:fs/promises');
const { decode, encode } = require('@jridgewell/sourcemap-codec');

const isOwn = (source) => !source.includes('node_modules/');

/** A segment of one field only says that what follows comes from nowhere. */
function withoutLibraries({ sources, mappings, ...map }) {
  const own = sources.filter(isOwn);
  const positions = new Map(own.map((source, index) => [source, index]));
  const lines = decode(mappings).map((segments) => {
    let isNowhere = true;
    return segments.flatMap(([column, source, ...place]) => {
      const position = positions.get(sources[source]);
      const wasNowhere = isNowhere;
      isNowhere = position === undefined;
      if (!isNowhere) return [[column, position, ...place.slice(0, 2)]];
      return wasNowhere ? [] : [[column]];
    });
  });
  return { ...map, sources: own, names: [], mappings: encode(lines) };
}

module.exports = [
  {
    name: 'own-source-maps',
    setup(build) {
      build.initialOptions.metafile = true;
      build.onEnd(async ({ metafile }) => {
        const maps = Object.keys(metafile?.outputs ?? {}).filter((path) => path.endsWith('.map'));
        for (const path of maps) {
          const map = JSON.parse(await readFile(path, 'utf8'));
          await writeFile(path, JSON.stringify(withoutLibraries(map)));
        }
      });
    },
  },
];
