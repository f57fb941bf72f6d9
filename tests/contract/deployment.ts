import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as inventoryRefusals from '../../lib/inventory/refusals.ts';
import * as orderRefusals from '../../lib/orders/refusals.ts';
import * as signals from '../../lib/orders/saga/signals.ts';
import * as paymentRefusals from '../../lib/payments/refusals.ts';
import * as commonErrors from '../../lib/platform/errors.ts';

const root = join(import.meta.dirname, '../..');

export interface State {
  readonly Type: string;
  readonly Resource?: unknown;
  readonly TimeoutSeconds?: number | string;
  readonly Parameters?: { readonly FunctionName?: unknown };
  readonly Next?: string;
  readonly Default?: string;
  readonly End?: boolean;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[] }[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
}

export interface StateMachine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

type Parameters = Readonly<Record<string, unknown>>;

/** The state machine as the repository holds it, with `${param:X}` in place of numbers. */
export function readOrderSaga(): StateMachine {
  return JSON.parse(read('statemachines/order-saga.asl.json')) as StateMachine;
}

/** The state machine as deployed: stage parameters filled in, function references resolved. */
export function renderOrderSaga(): unknown {
  const parameters = stageParameters();
  const ttlSeconds = Number(parameters['RESERVATION_TTL_SECONDS']);
  return render(readOrderSaga(), { ...parameters, RESERVATION_WAIT_SECONDS: ttlSeconds + 30 });
}

/** Names of the stage parameters in the state machine. */
export function parametersOfOrderSaga(): string[] {
  const uses = read('statemachines/order-saga.asl.json').matchAll(/\$\{param:(\w+)/g);
  return [...new Set([...uses].map(([, name]) => name ?? ''))];
}

/** `params.default` of serverless.yml. */
export function stageParameters(): Parameters {
  return templateSettings().defaults;
}

/** Parameters as infrastructure/settings.cjs gives them to serverless.yml. */
function templateSettings(): Readonly<Record<'defaults' | 'local' | 'prod', Parameters>> {
  return createRequire(import.meta.url)('../../infrastructure/settings.cjs') as ReturnType<
    typeof templateSettings
  >;
}

/** The `RedrivePolicy` of every queue that has one, by the queue's logical id. */
export function redrivePolicies(): ReadonlyMap<string, { readonly maxReceiveCount: unknown }> {
  type Policy = { readonly maxReceiveCount: unknown };
  const resources = readYaml('infrastructure/resources.yml') as Record<
    string,
    { readonly Properties: { readonly RedrivePolicy?: Policy } }
  >;
  return new Map(
    Object.entries(resources).flatMap(([name, { Properties }]): [string, Policy][] =>
      Properties.RedrivePolicy === undefined ? [] : [[name, Properties.RedrivePolicy]],
    ),
  );
}

export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export interface Alarm {
  readonly name: string;
  /** One, or those of its expression. */
  readonly metrics: readonly Metric[];
  readonly alarmActions: unknown;
  readonly okActions: unknown;
}

/** Every alarm, by its logical id; its name without service and stage. */
export function alarms(): ReadonlyMap<string, Alarm> {
  const resources = readYaml('infrastructure/alarms.yml') as Record<
    string,
    { readonly Properties: AlarmProperties }
  >;
  return new Map(
    Object.entries(resources).map(([logicalId, { Properties }]) => [
      logicalId,
      {
        name: Properties.AlarmName.replace('ordersaga-${sls:stage}-', ''),
        metrics: (Properties.Metrics ?? [{ MetricStat: { Metric: Properties } }]).flatMap(
          ({ MetricStat }) => (MetricStat === undefined ? [] : [toMetric(MetricStat.Metric)]),
        ),
        alarmActions: Properties.AlarmActions,
        okActions: Properties.OKActions,
      },
    ]),
  );
}

function toMetric({ Namespace, MetricName, Dimensions = [] }: MetricProperties): Metric {
  return {
    namespace: Namespace,
    name: MetricName,
    dimensions: Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value])),
  };
}

interface MetricProperties {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}

interface AlarmProperties extends MetricProperties {
  readonly AlarmName: string;
  readonly Metrics?: readonly { readonly MetricStat?: { readonly Metric: MetricProperties } }[];
  readonly AlarmActions: unknown;
  readonly OKActions: unknown;
}

export interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title: string;
    readonly alarms?: readonly string[];
    /** `[namespace, name, dimension, value, …, options?]`, or `[{ expression }]`. */
    readonly metrics?: readonly (readonly unknown[])[];
  };
}

export function dashboardWidgets(): readonly Widget[] {
  const { OperationsDashboard: dashboard } = readYaml('infrastructure/dashboard.yml') as {
    OperationsDashboard: { readonly Properties: { readonly DashboardBody: string } };
  };
  const body = JSON.parse(dashboard.Properties.DashboardBody) as { widgets: readonly Widget[] };
  return body.widgets;
}

/** The type of every resource that the repository itself declares, by its logical id. */
export function resourceTypes(): ReadonlyMap<string, string> {
  const resources = readYaml('infrastructure/resources.yml') as Record<string, { Type: string }>;
  return new Map(Object.entries(resources).map(([logicalId, { Type }]) => [logicalId, Type]));
}

/** Source file of every deployed function, by the function's name: `functions/orders/get-order.ts`. */
export function deployedFunctions(): ReadonlyMap<string, string> {
  const functions = readYaml('infrastructure/functions.yml') as Record<string, { handler: string }>;
  return new Map(
    Object.entries(functions).map(([name, { handler }]) => [
      name,
      handler.replace(/\.handler$/, '.ts'),
    ]),
  );
}

interface HttpRoute {
  readonly method: string;
  readonly path: string;
  readonly functionKey: string;
}

function httpRoutes(): HttpRoute[] {
  type Http = { readonly method: string; readonly path: string };
  const functions = readYaml('infrastructure/functions.yml') as Record<
    string,
    { readonly events?: readonly { readonly http?: Http }[] }
  >;
  return Object.entries(functions).flatMap(([functionKey, { events = [] }]) =>
    events.flatMap(({ http }) => (http === undefined ? [] : [{ ...http, functionKey }])),
  );
}

/** The function of each route, by route: `GET /order/{orderId}`; without preflights and the catch-all. */
export function deployedRoutes(): ReadonlyMap<string, string> {
  return new Map(
    httpRoutes()
      .filter(({ method }) => method !== 'any' && method !== 'options')
      .map(({ method, path, functionKey }) => [`${method.toUpperCase()} ${path}`, functionKey]),
  );
}

/** Paths with a preflight response. */
export function preflightPaths(): string[] {
  return httpRoutes()
    .filter(({ method }) => method === 'options')
    .map(({ path }) => path);
}

/** Time-out of each function in seconds, by its key in serverless.yml. */
export function functionTimeouts(): ReadonlyMap<string, number> {
  const { provider } = readYaml('serverless.yml') as { provider: { timeout: number } };
  const functions = readYaml('infrastructure/functions.yml') as Record<
    string,
    { readonly timeout?: number }
  >;
  return new Map(
    Object.entries(functions).map(([key, { timeout }]) => [key, timeout ?? provider.timeout]),
  );
}

export interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** The resources of infrastructure/resources.yml of one type, by logical id. */
export function resourcesOf(type: string): ReadonlyMap<string, Resource> {
  const resources = readYaml('infrastructure/resources.yml') as Record<string, Resource>;
  return new Map(Object.entries(resources).filter(([, { Type }]) => Type === type));
}

/** Parameters that a stage overrides in `params.default`. */
export function parametersOf(stage: string): Parameters {
  const { defaults, ...stages } = templateSettings();
  return { ...defaults, ...(stages as Readonly<Record<string, Parameters>>)[stage] };
}

/** The logical id of a function's queue; undefined if it has none. */
export function queueOf(functionKey: string): string | undefined {
  const functions = readYaml('infrastructure/functions.yml') as Record<
    string,
    { readonly events?: readonly { readonly sqs?: { readonly arn: string } }[] }
  >;
  const arns = (functions[functionKey]?.events ?? []).flatMap(({ sqs }) => sqs?.arn ?? []);
  return arns[0]?.replace(/\.Arn$/, '');
}

export function functionFiles(): string[] {
  return globSync('functions/**/*.ts', { cwd: root }).sort();
}

/** Exports of a file of the repository. */
export async function load(path: string): Promise<Record<string, unknown>> {
  return (await import(join(root, path))) as Record<string, unknown>;
}

/** Names of all error classes in lib/: literal in their class, or in the row of their refusal. */
export function errorNames(): ReadonlySet<string> {
  const literals = globSync('lib/**/*.ts', { cwd: root })
    .map(read)
    .flatMap((source) => [...source.matchAll(/\boverride readonly name = '(\w+)'/g)])
    .map(([, name = '']) => name);
  const refusals = [commonErrors, inventoryRefusals, orderRefusals, paymentRefusals, signals]
    .flatMap((module) => Object.values<unknown>(module))
    .filter((exported) => typeof exported === 'function' && 'refusal' in exported)
    .map((refused) => (refused as commonErrors.RefusalClass).refusal.name);
  return new Set([...literals, ...refusals]);
}

/** The function a Task invokes, directly or through `lambda:invoke.waitForTaskToken`. */
export function functionOfTask(task: State): string | undefined {
  const reference = task.Parameters?.FunctionName ?? task.Resource;
  if (typeof reference !== 'object' || reference === null || !('Fn::GetAtt' in reference)) {
    return undefined;
  }
  const attribute = reference['Fn::GetAtt'];
  return Array.isArray(attribute) && typeof attribute[0] === 'string' ? attribute[0] : undefined;
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Parses YAML; CloudFormation's `!Ref`, `!Sub` and `!GetAtt` become the plain values after them. */
function readYaml(path: string): unknown {
  return parse(read(path), { logLevel: 'error' });
}

function render(value: unknown, parameters: Parameters): unknown {
  if (typeof value === 'string') {
    const whole = /^\$\{(?:param:|self:custom\.)(\w+)\}$/.exec(value)?.[1];
    if (whole !== undefined) return parameters[whole];
    return value.replaceAll(/\$\{param:(\w+)\}/g, (_use, name: string) => String(parameters[name]));
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((member) => render(member, parameters));
  if ('Fn::GetAtt' in value) return 'arn:aws:lambda:eu-central-1:123456789012:function:any';
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, render(member, parameters)]),
  );
}
