import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { SETTINGS } from '../../lib/platform/settings.ts';
import { TEMPLATE_SETTINGS } from '../../lib/platform/template-settings.ts';
import { awsEnvironment } from '../emulator/aws-environment.ts';
import { StartupProblem } from './startup-problem.ts';

const record = z.record(z.string(), z.unknown());

const httpEvent = z.object({ http: z.object({ method: z.string(), path: z.string() }) });
const sqsEvent = z.object({
  sqs: z.object({
    arn: z.unknown(),
    batchSize: z.number().default(10),
    functionResponseType: z.literal('ReportBatchItemFailures').optional(),
  }),
});
const scheduleEvent = z.object({ schedule: z.unknown() });

const functionSchema = z.object({
  name: z.string(),
  handler: z.string(),
  timeout: z.number().optional(),
  memorySize: z.number().optional(),
  reservedConcurrency: z.number().optional(),
  url: z.object({ authorizer: z.literal('aws_iam') }).optional(),
  events: z.array(z.union([httpEvent, sqsEvent, scheduleEvent])).default([]),
});

const serviceSchema = z.object({
  provider: z.looseObject({
    region: z.string(),
    stage: z.string(),
    timeout: z.number(),
    memorySize: z.number(),
    environment: record,
  }),
  params: z.record(z.string(), record).default({}),
  functions: z.record(z.string(), functionSchema),
  stepFunctions: z.object({
    stateMachines: z.object({ orderSaga: z.object({ name: z.string() }) }),
  }),
  resources: z.object({
    Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: record })),
  }),
});

/** serverless.yml with every variable resolved, but references between resources unresolved. */
export type ServiceDefinition = z.infer<typeof serviceSchema>;
export type HttpEvent = z.infer<typeof httpEvent>['http'];
export type SqsEvent = z.infer<typeof sqsEvent>['sqs'];

class ServiceDefinitionProblem extends StartupProblem {
  override readonly name = 'ServiceDefinitionProblem';
}

/**
 * Reads the service's definition as the serverless CLI resolves it, so that the stack runs exactly the definition
 * of a deployment. The CLI takes seconds, so its answer is cached under a hash of everything it depends on.
 * @param directory the project's folder.
 * @param variables for the CLI, in addition to those of this process.
 * @throws ServiceDefinitionProblem with the CLI's own output.
 */
export async function readServiceDefinition(
  directory: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<ServiceDefinition> {
  const environment = { ...STAND_INS, ...process.env, ...variables };
  const kept = join(directory, KEPT_IN, `${await sourceHash(directory, environment)}.json`);
  const text = await readFile(kept, 'utf8').catch(() => undefined);
  if (text !== undefined) return serviceSchema.parse(JSON.parse(text));
  const definition = await askCli(directory, environment);
  await keep(kept, JSON.stringify(definition));
  return definition;
}

/** A deployment must know the gateway's URL. The stack fills in its own later. */
const STAND_INS = { GATEWAY_URL: 'http://localhost:3100/gateway' };

/** A URL of a port that nobody listens on. */
const UNUSED_ENDPOINT = 'http://127.0.0.1:9';

const KEPT_IN = join('.local', 'service-definition');

/** Files and folders from which the CLI makes the definition. */
const SOURCES = [
  'serverless.yml',
  'package-lock.json',
  'infrastructure',
  'statemachines',
  'lib/limits.ts',
  'lib/platform',
];

/** Hash of every file and every environment variable that the definition is made from. */
async function sourceHash(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const files = (await Promise.all(SOURCES.map((source) => filesBelow(directory, source)))).flat();
  const contents = await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')));
  const named = contents.flatMap((content) =>
    [...content.matchAll(/env:(\w+)/g)].map(([, name = '']) => name),
  );
  const names = [...Object.keys({ ...SETTINGS, ...TEMPLATE_SETTINGS }), ...named];
  const variables = names.map((name) => [name, environment[name]] as const);
  const made = JSON.stringify([process.version, files, contents, variables]);
  return createHash('sha256').update(made).digest('hex').slice(0, 32);
}

/** Files of a folder, or the file itself, sorted; empty if neither exists. */
async function filesBelow(directory: string, source: string): Promise<string[]> {
  const path = join(directory, source);
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return [];
  if (stats.isFile()) return [source];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Writes a file completely or not at all: several processes may write the same one at the same moment. A full
 * disk is no reason to fail.
 */
async function keep(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${String(process.pid)}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(unfinished, text);
    await rename(unfinished, path);
  } catch {
    await rm(unfinished, { force: true });
  }
}

/** Asks the serverless CLI itself. @throws ServiceDefinitionProblem with the CLI's own output. */
export async function askCli(
  directory: string,
  environment: Readonly<Record<string, string | undefined>> = { ...STAND_INS, ...process.env },
): Promise<ServiceDefinition> {
  const manifest = createRequire(import.meta.url).resolve('serverless/package.json');
  const cli = join(dirname(manifest), 'bin', 'serverless.js');
  const child = promisify(execFile)(
    process.execPath,
    [cli, 'print', '--format', 'json', '--stage', 'local'],
    {
      cwd: directory,
      // The CLI asks nothing of AWS, and finds no credentials of the user's.
      env: { ...environment, ...awsEnvironment(UNUSED_ENDPOINT, environment) },
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  try {
    const { stdout } = await child;
    return serviceSchema.parse(JSON.parse(stdout));
  } catch (cause) {
    const { stdout = '' } = cause as { readonly stdout?: string };
    throw new ServiceDefinitionProblem(
      `The serverless CLI cannot read serverless.yml as the stack needs it.\n${stdout || String(cause)}`,
      { cause },
    );
  }
}

/** Events of one kind, each with its function. */
export function eventsOf<Kind extends 'http' | 'sqs' | 'schedule'>(
  { functions }: ServiceDefinition,
  kind: Kind,
): readonly { readonly key: string; readonly event: EventOf<Kind> }[] {
  return Object.entries(functions).flatMap(([key, { events }]) =>
    events.flatMap((event) =>
      kind in event ? [{ key, event: (event as Record<Kind, EventOf<Kind>>)[kind] }] : [],
    ),
  );
}

/** Key of the function behind INVENTORY_URL: the only one with a function URL. */
export function inventoryFunction({ functions }: ServiceDefinition): string {
  const keys = Object.keys(functions).filter((key) => functions[key]?.url !== undefined);
  if (keys.length === 1) return String(keys[0]);
  throw new ServiceDefinitionProblem(`One function must have a URL, not ${String(keys.length)}.`);
}

type EventOf<Kind> = Kind extends 'http' ? HttpEvent : Kind extends 'sqs' ? SqsEvent : unknown;
