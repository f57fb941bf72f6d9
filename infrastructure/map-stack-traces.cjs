// Part of every bundle: maps stack traces to the project's own files. Node's --enable-source-maps does the same,
// but parses every file that has a map at every cold start, which takes a tenth of the whole import. This module
// reads a map at the first stack trace that needs it.
const { SourceMap } = require('node:module');
const { readFileSync } = require('node:fs');
const { dirname, resolve } = require('node:path');

const maps = new Map();

function mapOf(file) {
  if (!maps.has(file)) {
    let map;
    try {
      map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
    } catch {
      // The file is a library's and has no map.
    }
    maps.set(file, map);
  }
  return maps.get(file);
}

function lineOf(site) {
  const text = String(site);
  const file = site.getFileName();
  if (!file?.startsWith('/')) return text;
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  const { originalSource, originalLine, originalColumn } =
    mapOf(file)?.findEntry(line - 1, column - 1) ?? {};
  if (originalSource === undefined) return text;
  const source = resolve(dirname(file), originalSource);
  const place = `${source}:${originalLine + 1}:${originalColumn + 1}`;
  return text.replace(`${file}:${line}:${column}`, () => place);
}

Error.prepareStackTrace = (error, sites) => {
  let head;
  try {
    head = Error.prototype.toString.call(error);
  } catch {
    head = 'Error';
  }
  return [head, ...sites.map((site) => `    at ${lineOf(site)}`)].join('\n');
};
