import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import JSZip from 'jszip';

const root = join(import.meta.dirname, '../..');

export interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties?: {
          readonly Handler?: string;
          readonly Name?: string;
          readonly Role?: unknown;
        } & Readonly<Record<string, unknown>>;
      }
    >
  >;
}

/** Origin that may call the packaged API. */
export const ALLOWED_ORIGINS = 'https://shop.example.com';

export interface Package {
  /** CloudFormation's input. */
  readonly template: Template;
  /** Code of each function, by its key in serverless.yml. */
  readonly code: ReadonlyMap<string, JSZip>;
}

/** Packages a deployment with the serverless CLI into an empty folder. */
export async function packageStage(stage: string, folder: string): Promise<Package> {
  const manifest = createRequire(import.meta.url).resolve('serverless/package.json');
  const cli = join(dirname(manifest), 'bin', 'serverless.js');
  const { PATH, HOME } = process.env;
  await promisify(execFile)(
    process.execPath,
    [cli, 'package', '--stage', stage, '--package', folder],
    // Only these variables, because a deployment takes its settings from the environment. The CLI's temporary
    // files go into the package's folder.
    {
      cwd: root,
      env: {
        PATH,
        HOME,
        TMPDIR: dirname(folder),
        GATEWAY_URL: 'https://gateway.example.com',
        ALLOWED_ORIGINS,
      },
    },
  );
  const template = await readFile(
    join(folder, 'cloudformation-template-update-stack.json'),
    'utf8',
  );
  const archives = (await readdir(folder)).filter((name) => name.endsWith('.zip'));
  const code = archives.map(
    async (name) =>
      [
        name.replace(/\.zip$/, ''),
        await JSZip.loadAsync(await readFile(join(folder, name))),
      ] as const,
  );
  return { template: JSON.parse(template) as Template, code: new Map(await Promise.all(code)) };
}

/**
 * Loads the code of all functions as Lambda would, outside this repository and its modules.
 * @returns the exports of each; rejects with the error of a file that throws.
 */
export async function loadAll(
  code: ReadonlyMap<string, JSZip>,
  folder: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const files: [string, string][] = [];
  for (const [name, archive] of code) {
    for (const { name: path } of archive.file(/\.js(?:\.map)?$/)) {
      const file = join(folder, name, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, (await archive.file(path)?.async('nodebuffer')) ?? '');
      // The part for lazy loading is not a module by itself.
      if (/(?<!\.later)\.js$/.test(path)) files.push([name, file]);
    }
  }
  const script = `const files = ${JSON.stringify(files)};
    console.log(JSON.stringify(files.map(([name, file]) => [name, Object.keys(require(file))])));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: folder });
  return new Map(JSON.parse(stdout) as [string, string[]][]);
}

/** A function that imports the companion, which none may do, bundled like all others. */
export async function functionWithCompanion(): Promise<JSZip> {
  const { outputFiles } = await build({
    stdin: {
      contents: "export * from './local/companion/server.ts';",
      resolveDir: root,
      sourcefile: 'functions/leak.ts',
    },
    outfile: join(root, 'functions/leak.js'),
    write: false,
    bundle: true,
    minify: true,
    sourcemap: true,
    platform: 'node',
    target: 'node24',
  });
  const archive = new JSZip();
  for (const { path, contents } of outputFiles) archive.file(path.slice(root.length + 1), contents);
  return archive;
}

/** The project's source files in a function's code, according to its source map. */
export async function sourcesOf(code: JSZip): Promise<string[]> {
  const maps = await Promise.all(code.file(/\.map$/).map((file) => file.async('string')));
  return maps
    .flatMap((map) => (JSON.parse(map) as { readonly sources: readonly string[] }).sources)
    .map((source) => source.replace(/^(?:\.\.\/)+/, ''))
    .filter((source) => !source.startsWith('node_modules/'));
}

/** Those of the words that occur in a function's code. */
export async function wordsIn(code: JSZip, words: readonly string[]): Promise<string[]> {
  const files = await Promise.all(code.file(/\.js$/).map((file) => file.async('string')));
  return words.filter((word) => files.some((file) => file.includes(word)));
}

/** All keys and values in a template, without the locations in the deployment bucket. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === 'S3Key' ? [] : [key, ...textsIn(member)],
  );
}
