import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants.ts';
import { SCENARIOS } from './scenarios.ts';
import { parseStrikes, type Strike, UnknownStrike } from './strikes.ts';

export const USAGE = `Usage: npm run torture -- [options]

Tries to break the promises in a simulated world, in three parts:
  scenarios   what users do, again and again with faults: once for every side effect and fault, with
              pairs of faults, with the execution aborted at every side effect, with somebody else's
              call just before every effect, and with calls and steps that are late; afterwards the
              promises are held against what is stored
  histories   many users and random faults at once, from a seed; what everybody was answered is held
              against what is stored
  mutants     guarantees of the service, switched off one at a time: each must be missed

Without an option, all of it. These name parts, and then only those are run:
  --scenario WORDS   the scenarios whose names have these words ("" for all)
  --histories N      so many histories (2000)
  --mutants          all mutants
  --mutant NAME      this mutant; more than one may be named

  --pairs N          of scenarios: so many pairs each, beside those of which all are run (20)
  --percent N        of scenarios: so many of every hundred runs with somebody else's call, or with
                     something late (25)
  --seed N           decides ids, random numbers, pairs and histories (1)
  --processes N      at the same time (as many as there are processors)
  --json             for programs
  --help             this

To see one run again, as it is printed where something broke:
  --scenario NAME --strikes LIST     such as "dies after@17,dies before@40"
  --history SEED [--keep LIST]       such as "3,7,9"

Exit code: 0 every promise held and every mutant was caught, 1 not so, 2 not understood.`;

/** Parsed command line. */
export type Wanted =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'run again';
      readonly seed: number;
      readonly scenario: string;
      readonly strikes: readonly Strike[];
    }
  | {
      readonly kind: 'live again';
      readonly seed: number;
      readonly kept: readonly number[] | undefined;
    }
  | {
      readonly kind: 'torture';
      readonly scenarios: readonly string[];
      readonly pairs: number;
      readonly share: number;
      readonly histories: number;
      readonly mutants: readonly string[];
      readonly seed: number;
      readonly processes: number;
      readonly isJson: boolean;
    };

/** The command line is invalid; the message lists the valid options. */
export class NotUnderstood extends Error {
  override readonly name = 'NotUnderstood';
}

const HISTORIES = 2000;

/** @throws NotUnderstood */
export function readArguments(args: readonly string[], processors: number): Wanted {
  const values = parse(args);
  if (values.help) return { kind: 'help' };
  const seed = wholeNumber('seed', values.seed);
  if (values.strikes !== undefined) {
    const scenario = SCENARIOS.find(({ name }) => name === values.scenario)?.name;
    if (scenario === undefined) {
      throw new NotUnderstood('--strikes needs the whole name of one --scenario.');
    }
    return { kind: 'run again', seed, scenario, strikes: strikesOf(values.strikes) };
  }
  if (values.history !== undefined) {
    const kept = values.keep?.split(',').map((part) => wholeNumber('keep', part.trim()));
    return { kind: 'live again', seed: wholeNumber('history', values.history), kept };
  }
  if (values.keep !== undefined) throw new NotUnderstood('--keep belongs to one --history.');
  const { scenario, histories, mutants, mutant } = values;
  const isAll =
    scenario === undefined && histories === undefined && !mutants && mutant === undefined;
  return {
    kind: 'torture',
    scenarios: isAll ? scenariosWith('') : scenario === undefined ? [] : scenariosWith(scenario),
    pairs: wholeNumber('pairs', values.pairs),
    share: wholeNumber('percent', values.percent) / 100,
    histories:
      histories === undefined ? (isAll ? HISTORIES : 0) : wholeNumber('histories', histories),
    mutants: isAll || mutants ? MUTANTS.map(({ name }) => name) : (mutant ?? []).map(mutantOf),
    seed,
    processes: processesOf(values.processes, processors),
    isJson: values.json,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: { type: 'string' },
        histories: { type: 'string' },
        mutants: { type: 'boolean', default: false },
        mutant: { type: 'string', multiple: true },
        pairs: { type: 'string', default: '20' },
        percent: { type: 'string', default: '25' },
        seed: { type: 'string', default: '1' },
        processes: { type: 'string' },
        strikes: { type: 'string' },
        history: { type: 'string' },
        keep: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new NotUnderstood(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new NotUnderstood(`--${name} takes whole numbers, and not "${text}".`);
}

function scenariosWith(words: string): string[] {
  const names = SCENARIOS.map(({ name }) => name);
  const found = names.filter((name) => name.includes(words));
  if (found.length > 0) return found;
  throw new NotUnderstood(`No scenario has the words "${words}". There are: ${names.join(', ')}.`);
}

function mutantOf(name: string): string {
  if (MUTANTS.some((mutant) => mutant.name === name)) return name;
  const names = MUTANTS.map((mutant) => mutant.name).join(', ');
  throw new NotUnderstood(`There is no mutant "${name}". There are: ${names}.`);
}

function processesOf(text: string | undefined, processors: number): number {
  const processes = text === undefined ? processors : wholeNumber('processes', text);
  if (processes === 0) throw new NotUnderstood('--processes takes a number from 1.');
  return processes;
}

function strikesOf(text: string): readonly Strike[] {
  if (text === '') return [];
  try {
    return parseStrikes(text);
  } catch (error) {
    if (error instanceof UnknownStrike) throw new NotUnderstood(`--strikes: ${error.message}`);
    throw error;
  }
}
