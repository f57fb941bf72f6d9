import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import JSZip from 'jszip';

const USAGE = `Usage: npm run bench:imports [-- --package DIR] [--runs N] [--check]

Measures how long Node takes to import each packaged function (of .serverless unless named), beside
the AWS SDK's DynamoDB client alone, bundled as one file with the same settings. Each import has a
process of its own; all take turns, and the medians of the same run are compared. The goals are held
against CPU time, which other work on the machine changes least; the clock's time stands beside it.

Exit code: 0 measured, 1 with --check if a goal is missed, 2 nothing is packaged or not understood.`;

const GOAL = 1.2;
const GOAL_OF_HEALTH = 0.3;

const CLIENT = 'client-dynamodb alone';
const CLIENT_CLASS = 'its client class only';

interface Candidate {
  readonly name: string;
  readonly file: string;
  readonly kib: number;
}

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function bundle(folder: string, name: string, contents: string): Promise<Candidate> {
  const file = join(folder, `${name.replaceAll(' ', '-')}.cjs`);
  await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, '..') },
    outfile: file,
    bundle: true,
    minify: true,
    mainFields: ['module', 'main'],
    platform: 'node',
    target: 'node24',
    format: 'cjs',
  });
  return { name, file, kib: readFileSync(file).byteLength / 1024 };
}

/** Unpacks every archive of the package into a folder of its own. */
async function unpack(source: string, folder: string): Promise<Candidate[]> {
  const names = readdirSync(source).filter((name) => name.endsWith('.zip'));
  return Promise.all(
    names.map(async (archiveName) => {
      const name = archiveName.slice(0, -4);
      const archive = await JSZip.loadAsync(readFileSync(join(source, archiveName)));
      const paths = Object.keys(archive.files);
      for (const path of paths) {
        const file = join(folder, name, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, (await archive.file(path)?.async('nodebuffer')) ?? '');
      }
      const handler = paths.find((path) => path.endsWith('.js') && !path.endsWith('.later.js'));
      const file = join(folder, name, handler ?? '');
      return { name, file, kib: readFileSync(file).byteLength / 1024 };
    }),
  );
}

const MEASURE = `
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  require(process.argv[1]);
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 }));`;

function importOnce(file: string): Sample {
  const output = execFileSync(process.execPath, ['-e', MEASURE, file], {
    cwd: dirname(file),
    env: { AWS_REGION: 'eu-central-1' },
    encoding: 'utf8',
  });
  return JSON.parse(output) as Sample;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** @returns names of the functions that miss their goal. */
function report(
  candidates: readonly Candidate[],
  samples: ReadonlyMap<string, readonly Sample[]>,
): string[] {
  const of = (name: string, key: keyof Sample) =>
    median((samples.get(name) ?? []).map((sample) => sample[key]));
  const row = (...cells: readonly string[]) => {
    const [name = '', ...numbers] = cells;
    console.log(name.padEnd(24) + numbers.map((cell) => cell.padStart(10)).join(''));
  };
  row('', 'KiB', 'CPU ms', 'ratio', 'ms', 'ratio');
  const missed: string[] = [];
  const sorted = [...candidates].sort((a, b) => of(b.name, 'cpuMs') - of(a.name, 'cpuMs'));
  for (const { name, kib } of sorted) {
    const [wallMs, cpuMs] = [of(name, 'wallMs'), of(name, 'cpuMs')];
    const ratio = cpuMs / of(CLIENT, 'cpuMs');
    const goal = name === 'health' ? GOAL_OF_HEALTH : GOAL;
    if (ratio > goal) missed.push(name);
    row(
      name,
      kib.toFixed(0),
      cpuMs.toFixed(1),
      ratio.toFixed(2),
      wallMs.toFixed(1),
      (wallMs / of(CLIENT, 'wallMs')).toFixed(2),
    );
  }
  return missed;
}

function readArguments() {
  try {
    const options = {
      package: { type: 'string', default: '.serverless' },
      runs: { type: 'string', default: '15' },
      check: { type: 'boolean', default: false },
    } as const;
    const { values } = parseArgs({ options });
    const runs = Number(values.runs);
    if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs must be a whole number.');
    const hasPackage = readdirSync(values.package).some((name) => name.endsWith('.zip'));
    if (!hasPackage) throw new Error(`There are no archives in ${values.package}.`);
    return { ...values, runs };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const { package: source, runs, check } = readArguments();
const folder = mkdtempSync(join(tmpdir(), 'ordersaga-imports-'));
try {
  const candidates = [
    await bundle(folder, CLIENT, "export * from '@aws-sdk/client-dynamodb';"),
    await bundle(
      folder,
      CLIENT_CLASS,
      "export { DynamoDBClient } from '@aws-sdk/client-dynamodb';",
    ),
    ...(await unpack(source, folder)),
  ];
  const samples = new Map(candidates.map(({ name }) => [name, [] as Sample[]]));
  for (let run = 0; run < runs; run += 1) {
    for (const { name, file } of candidates) samples.get(name)?.push(importOnce(file));
  }
  const missed = report(candidates, samples);
  console.log(
    missed.length === 0
      ? `Every function within ${String(GOAL)}, health within ${String(GOAL_OF_HEALTH)} of the client.`
      : `Over ${String(GOAL)} (health ${String(GOAL_OF_HEALTH)}) of the client: ${missed.join(', ')}.`,
  );
  if (check && missed.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
