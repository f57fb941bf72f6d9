import { describe, expect, test } from 'vitest';
import { readCommand, UsageProblem } from '../../../../tools/dlq/arguments.ts';

const DEFAULTS = { stage: 'local', limit: 500, asJson: false };

describe('the arguments', () => {
  test.each([
    ['list', { command: 'list' }],
    [
      'list --json --stage prod --limit 20',
      { command: 'list', stage: 'prod', limit: 20, asJson: true },
    ],
    ['show 1-2', { command: 'show', id: '1-2' }],
    ['redrive', { command: 'redrive', ids: [], isDryRun: false }],
    ['redrive a b a --dry-run', { command: 'redrive', ids: ['a', 'b'], isDryRun: true }],
    ['--help', { command: 'help' }],
    ['list --help', { command: 'help' }],
  ])('%s', (line, expected) => {
    expect(readCommand(line.split(' '))).toEqual({ ...DEFAULTS, ...expected });
  });

  test.each([
    ['', /Say what to do: list, show ID or redrive/],
    ['lst', /no command lst/],
    ['list 1', /list takes no id/],
    ['show', /show takes one id/],
    ['show 1 2', /show takes one id/],
    ['list --dry-run', /--dry-run goes with redrive only/],
    ['show 1 --dry-run', /--dry-run goes with redrive only/],
    ['list --limit 0', /--limit is 0/],
    ['list --limit many', /--limit is many/],
    ['list --limit -1', /limit/],
    ['list --stage=', /--stage needs/],
    ['list --stage', /stage/],
    ['list --jsn', /jsn/],
    ['list --json=yes', /json/],
  ])('%j are not understood, and it says why', (line, why) => {
    const read = () => readCommand(line.split(' ').filter((word) => word !== ''));
    expect(read).toThrow(UsageProblem);
    expect(read).toThrow(why);
  });
});
