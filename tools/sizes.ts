import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run sizes [-- --package DIR]

Prints the zipped size of every function that "npx serverless package" has left in a folder
(.serverless unless named), the largest first.

Exit code: 0 none is over 400 KiB, 1 one is, 2 nothing is packaged there or not understood.`;

const LIMIT_KIB = 400;

/** Zipped size of each function's code in KiB, the largest first. */
function sizesIn(folder: string): readonly (readonly [name: string, kib: number])[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.zip'))
    .map((file) => [file.slice(0, -4), statSync(join(folder, file)).size / 1024] as const)
    .sort(([, a], [, b]) => b - a);
}

function fail(words: string): never {
  console.error(`${words}\n\n${USAGE}`);
  process.exit(2);
}

function readArguments() {
  try {
    const options = {
      package: { type: 'string', default: '.serverless' },
      help: { type: 'boolean', default: false },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const { package: folder, help } = readArguments();
if (help) {
  console.log(USAGE);
  process.exit(0);
}
let sizes: ReturnType<typeof sizesIn> = [];
try {
  sizes = sizesIn(folder);
} catch {
  // The check below reports it, the same for a missing folder as for an empty one.
}
if (sizes.length === 0) {
  fail(`Nothing is packaged in ${folder}. First: npx serverless package --stage prod`);
}
for (const [name, kib] of sizes) console.log(`${name.padEnd(24)}${kib.toFixed(0).padStart(6)} KiB`);
const tooLarge = sizes.filter(([, kib]) => kib > LIMIT_KIB).map(([name]) => name);
console.log(
  tooLarge.length === 0
    ? `${String(sizes.length)} functions, none over ${String(LIMIT_KIB)} KiB.`
    : `Over ${String(LIMIT_KIB)} KiB: ${tooLarge.join(', ')}. See docs/architecture.md, "What is in a package".`,
);
process.exitCode = tooLarge.length === 0 ? 0 : 1;
