// Plugin of the serverless CLI that makes the archives of all functions in one run.
const { mkdir, writeFile } = require('node:fs/promises');
const { join, relative } = require('node:path');

/** Modification time of every file, so that the same code gives the same archive and is not deployed again. */
const MODIFIED = new Date(Date.UTC(1980, 0, 1));

/** The CLI moves this folder to the chosen package folder. */
const FOLDER = '.serverless';

class PackageFunctions {
  constructor(serverless) {
    this.serverless = serverless;
    const pack = () => this.pack();
    this.hooks = {
      'before:package:createDeploymentArtifacts': pack,
      'before:package:function:package': pack,
    };
  }

  async pack() {
    // Loaded here, because commands that package nothing need neither esbuild nor the archiver.
    const { bundleFunctions } = require('./bundle-functions.cjs');
    const { serviceDir, service } = this.serverless;
    const functions = service.getAllFunctions().map((key) => [key, service.getFunction(key)]);
    const entryOf = ({ handler }) => handler.replace(/\.\w+$/, '.ts');
    const entries = [...new Set(functions.map(([, one]) => entryOf(one)))].sort();
    const bundles = await bundleFunctions(serviceDir, entries);
    const folder = join(serviceDir, FOLDER);
    await mkdir(folder, { recursive: true });
    for (const [key, one] of functions) {
      const artifact = join(folder, `${key}.zip`);
      await writeFile(artifact, await archiveOf(bundles.get(entryOf(one)).files));
      one.package = { ...one.package, artifact: relative(serviceDir, artifact) };
    }
  }
}

function archiveOf(files) {
  const JSZip = require('jszip');
  const archive = new JSZip();
  for (const [path, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    archive.file(path, text, { date: MODIFIED, createFolders: false, unixPermissions: 0o644 });
  }
  return archive.generateAsync({
    type: 'nodebuffer',
    platform: 'UNIX',
    compression: 'DEFLATE',
    compressionOptions: { level: 9 },
  });
}

module.exports = PackageFunctions;
