import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import type { TestStateCase } from '../statemachines/test-state-cases.ts';
import { commandOf, differences, type TestStateAnswer } from './teststate/test-state-call.ts';

const USAGE = `Usage: npm run teststate [-- [--only WORDS] [--print]]

Has AWS Step Functions itself run every Retry and Catch row of the order saga, by its API TestState,
and compares each answer with docs/teststate/cases.json. Nothing is deployed and nothing is invoked:
the tasks' errors are mocked. It needs an AWS CLI of November 2025 or later with credentials and a
region, and the permission states:TestState.

  --only WORDS   the cases whose names have these words
  --print        print the commands and call nothing

Exit code: 0 every answer is as expected, 1 one is not, 2 not understood.`;

const FOLDER = join(import.meta.dirname, '..', 'docs', 'teststate');
const DEFINITION = relative(process.cwd(), join(FOLDER, 'state-machine.json'));

function readArguments() {
  try {
    const options = {
      only: { type: 'string', default: '' },
      print: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const { only, print, help } = readArguments();
if (help) {
  console.log(USAGE);
  process.exit(0);
}
const cases = (
  JSON.parse(readFileSync(join(FOLDER, 'cases.json'), 'utf8')) as readonly TestStateCase[]
).filter(({ name }) => name.includes(only));
if (cases.length === 0) {
  console.error(`No case has ${JSON.stringify(only)} in its name.\n\n${USAGE}`);
  process.exit(2);
}

const quoted = (word: string) => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`);
let failed = 0;
for (const one of cases) {
  const command = commandOf(one, DEFINITION);
  if (print) {
    console.log(`# ${one.name}\naws ${command.map(quoted).join(' ')}\n`);
    continue;
  }
  const answer = JSON.parse(execFileSync('aws', command, { encoding: 'utf8' })) as TestStateAnswer;
  const found = differences(one, answer);
  if (found.length > 0) failed += 1;
  console.log([`${found.length === 0 ? 'ok' : 'NOT OK'}  ${one.name}`, ...found].join('\n  '));
}
if (!print) console.log(`${String(cases.length - failed)} of ${String(cases.length)} as expected.`);
process.exitCode = failed === 0 ? 0 : 1;
