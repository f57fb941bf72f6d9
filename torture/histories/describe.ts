import type { Struck } from './fault-injector.ts';
import { type Call, keyOf } from './history.ts';
import type { HistoryRun } from './run-history.ts';

/** One line of the schedule, with its time. */
interface Line {
  readonly atMs: number;
  readonly step: number;
  readonly words: string;
}

/**
 * Prints a history for a person: requests, faults and responses in order of time, the violations, and the
 * command that repeats it.
 */
export function describeHistory({ seed, plan, calls, struck, violations }: HistoryRun): string {
  const lines = [...calls.flatMap(linesOfCall), ...struck.map(lineOfStrike)].sort(
    (left, right) => left.atMs - right.atMs || left.step - right.step,
  );
  const beginMs = lines[0]?.atMs ?? 0;
  const settings = Object.entries(plan.configuration).map(([name, value]) => `${name}=${value}`);
  const products = plan.products.map(
    ({ productId, stock, unitPrice }) =>
      `${productId ?? ''}: ${String(stock)} at ${String(unitPrice.amount)} ${unitPrice.currency}`,
  );
  const keep = plan.kept === undefined ? '' : ` --keep ${plan.kept.join()}`;
  return [
    `history ${String(seed)}: ${products.join(', ')}${settings.length === 0 ? '' : `; ${settings.join(' ')}`}`,
    ...plan.outages.map(
      ({ kind, fromMs, untilMs }) => `  ${kind} from ${seconds(fromMs)} until ${seconds(untilMs)}`,
    ),
    ...lines.map(({ atMs, words }) => `  ${seconds(atMs - beginMs)}  ${shortened(words)}`),
    ...violations.map((words) => `  broken: ${words}`),
    `  again: npm run torture -- --history ${String(seed)}${keep}`,
  ].join('\n');
}

function linesOfCall(call: Call): Line[] {
  const { user, kind, operation, answer, body, headers } = call;
  const who = `${user} ${String(operation)}`;
  const sent = [
    body === undefined ? '' : JSON.stringify(body),
    ...['if-match', 'prefer', 'x-allow-duplicate']
      .filter((name) => headers[name] !== undefined)
      .map((name) => `${name}: ${headers[name] ?? ''}`),
    keyOf(call) === undefined ? '' : `key ${keyOf(call) ?? ''}`,
  ];
  const about = /\w+_\w+/.exec(call.path)?.[0] ?? '';
  const told =
    answer === undefined
      ? ['no answer']
      : [
          String(answer.status),
          answer.body.code ?? '',
          answer.body.orderId ?? answer.body.paymentId ?? '',
          String(answer.body.status ?? ''),
          answer.body.version === undefined ? '' : `version ${String(answer.body.version)}`,
          answer.isReplayed ? '(replayed)' : '',
        ];
  return [
    {
      atMs: call.invokedAtMs,
      step: call.invokedStep,
      words: words([`${who} >`, kind, about, ...sent]),
    },
    { atMs: call.endedAtMs, step: call.endedStep, words: words([`${who} <`, kind, ...told]) },
  ];
}

function lineOfStrike({ label, atMs }: Struck): Line {
  return { atMs, step: Number.POSITIVE_INFINITY, words: `    ${label}` };
}

function words(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}

/** The first characters of an id, enough to tell it from others. */
function shortened(text: string): string {
  return text.replaceAll(/\b((?:ord|pay)_\w{6})\w+/g, '$1');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3).padStart(9)} s`;
}
