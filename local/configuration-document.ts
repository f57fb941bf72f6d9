import { rangeOf, SETTINGS, type Setting } from '../lib/platform/settings.ts';
import { TEMPLATE_SETTINGS } from '../lib/platform/template-settings.ts';
import { LOCAL_SETTINGS } from './local-settings.ts';

type Table = Readonly<Record<string, Setting>>;

/** Renders docs/configuration.md from the tables of settings. */
export function configurationDocument(): string {
  return `# Configuration

<!-- Made from the tables of settings by \`npm run docs:settings\`; change those, not this file. -->

Every setting is a variable of the environment: of \`npm start\`, of \`npm run deploy:local\`, and of
\`npx serverless deploy\`. A bad value stops each of them with a message that names the variable and
its range.

\`\`\`sh
RESERVATION_TTL_SECONDS=5 npm start                        # a whole lifecycle in seconds
RESERVATION_TTL_SECONDS=600 npx serverless deploy --stage dev
\`\`\`

## The service

${tableOf(SETTINGS, ['default'])}

On a deployed stage \`SCHEDULE_SECONDS\` must be a multiple of ${String(SETTINGS.SCHEDULE_SECONDS.deployedMultipleOf)}: the rate of both schedules is made
from it. The two secrets are random at a local start unless they are given. A deployed stage reads
them from Parameter Store ([secrets.md](secrets.md)), and never from the environment of the command.

## A deployed stage

The template alone uses these settings; \`npm start\` ignores them.

${tableOf(TEMPLATE_SETTINGS, ['default', 'prod'])}

## A local start

${tableOf(LOCAL_SETTINGS, ['default'])}

\`npm start -- --data DIR\` keeps orders, stock, queues and charges in a folder for the next start.
`;
}

function tableOf(table: Table, defaults: readonly ('default' | 'prod')[]): string {
  const columns = ['variable', 'range', ...defaults, 'meaning'];
  const rows = Object.entries(table).map(([name, setting]) => [
    `\`${name}\``,
    rangeOf(setting),
    ...defaults.map((column) => (column === 'prod' ? prodText(setting) : defaultText(setting))),
    setting.meaning,
  ]);
  return [columns, columns.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function defaultText(setting: Setting): string {
  if (setting.kind === 'secrets') return 'random';
  if (setting.default !== undefined) return shown(setting.default);
  const locally = setting.local ?? "the companion's proxy";
  const local = setting.local === undefined ? locally : shown(setting.local);
  return `${setting.deployed?.shown ?? 'required'}; locally ${local}`;
}

function prodText(setting: Setting): string {
  if (setting.kind === 'secrets') return '';
  return shown(setting.prod ?? setting.default ?? '');
}

function shown(value: string | number | boolean): string {
  return value === '' ? 'none' : `\`${String(value).replace('${sls:stage}', '<stage>')}\``;
}
