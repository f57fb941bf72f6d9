import { parseArgs } from 'node:util';
import { LOCAL } from '../stage.ts';

const DEFAULT_LIMIT = 500;

export const USAGE = `Usage: npm run -s dlq -- list | show ID | redrive [ID...] [options]

  list                 lists every dead letter, the oldest first, and the effect of redriving it
  show ID              shows all facts about one letter and its order
  redrive [ID...]      redrives the named letters, or all; then removes each letter

  --dry-run            redrive: only print the effects
  --stage NAME         a deployed stage instead of the local stack
  --limit N            read at most N letters (${String(DEFAULT_LIMIT)})
  --json               print JSON instead of text
  --help               this text

Reading hides letters from other readers for a moment and puts them back. Redriving is safe to
repeat: it acts on the stored state of that moment. A letter that nothing can be done for stays in
its queue. An acknowledgement of an unknown payment is sent again only if it is named.

Exit code: 0 done, 1 something could not be done, 2 not understood, 130 interrupted.`;

/** Thrown for arguments that make no sense. The message is for the person at the terminal. */
export class UsageProblem extends Error {
  override readonly name = 'UsageProblem';
}

interface Options {
  readonly stage: string;
  readonly limit: number;
  readonly asJson: boolean;
}

export type Command = Options &
  (
    | { readonly command: 'help' }
    | { readonly command: 'list' }
    | { readonly command: 'show'; readonly id: string }
    | {
        readonly command: 'redrive';
        /** Empty: all letters. */
        readonly ids: readonly string[];
        readonly isDryRun: boolean;
      }
  );

/** @throws UsageProblem */
export function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  const options = { stage: values.stage, limit: limitOf(values.limit), asJson: values.json };
  const [command, ...ids] = positionals;
  if (values.help) return { ...options, command: 'help' };
  if (values.stage === '') throw new UsageProblem('--stage needs the name of a stage.');
  if (values['dry-run'] && command !== 'redrive') {
    throw new UsageProblem('--dry-run goes with redrive only; list and show change nothing.');
  }
  switch (command) {
    case 'list':
      if (ids.length > 0) throw new UsageProblem('list takes no id; for one letter: show ID');
      return { ...options, command };
    case 'show': {
      const [id, ...others] = ids;
      if (id === undefined || others.length > 0) {
        throw new UsageProblem('show takes one id; list tells them.');
      }
      return { ...options, command, id };
    }
    case 'redrive':
      return { ...options, command, ids: [...new Set(ids)], isDryRun: values['dry-run'] };
    case undefined:
      throw new UsageProblem('Say what to do: list, show ID or redrive.');
    default:
      throw new UsageProblem(`There is no command ${command}: list, show ID or redrive.`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'dry-run': { type: 'boolean', default: false },
        stage: { type: 'string', default: LOCAL },
        limit: { type: 'string', default: String(DEFAULT_LIMIT) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (cause) {
    throw new UsageProblem(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function limitOf(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageProblem(`--limit is ${text}; it must be a whole number from 1 to 999999.`);
}
