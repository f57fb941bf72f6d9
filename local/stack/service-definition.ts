import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
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

/** serverless.yml with every variable resolved; references between resources still stand. */
export type ServiceDefinition = z.infer<typeof serviceSchema>;
export type HttpEvent = z.infer<typeof httpEvent>['http'];
export type SqsEvent = z.infer<typeof sqsEvent>['sqs'];

class ServiceDefinitionProblem extends StartupProblem {
  override readonly name = 'ServiceDefinitionProblem';
}

/**
 * Asks the serverless CLI itself, so that the stack runs exactly what it would deploy.
 * @throws ServiceDefinitionProblem with the CLI's own words
 */
export async function readServiceDefinition(directory: string): Promise<ServiceDefinition> {
  const manifest = createRequire(import.meta.url).resolve('serverless/package.json');
  const cli = join(dirname(manifest), 'bin', 'serverless.js');
  const child = promisify(execFile)(
    process.execPath,
    [cli, 'print', '--format', 'json', '--stage', 'local'],
    {
      cwd: directory,
      // Deployments have to be told where the gateway is; the stack fills its own in later.
      env: { GATEWAY_URL: 'http://localhost:3100/gateway', ...process.env },
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

/** The events of one kind, each with its function. */
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

type EventOf<Kind> = Kind extends 'http' ? HttpEvent : Kind extends 'sqs' ? SqsEvent : unknown;
