import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LEGAL_MOVES } from '../../lib/orders/moves.ts';
import { BRANCHING_REFUSALS } from '../../lib/orders/saga/task.ts';
import { LEGAL_PAYMENT_MOVES } from '../../lib/payments/payment.ts';
import { BadSignature } from '../../lib/payments/refusals.ts';
import { MissingScope, Unauthenticated } from '../../lib/platform/errors.ts';
import { EVENTS, GAUGES } from '../../lib/platform/lambda/observe.ts';
import {
  alarms,
  dashboardWidgets,
  deployedFunctions,
  type Metric,
  resourceTypes,
} from './deployment.ts';

const OWN_NAMESPACE = 'ordersaga/${sls:stage}';

/** AWS metrics of the dashboard and alarms, and the one dimension of each namespace. */
const AWS_METRICS: Readonly<Record<string, { dimension: string; names: readonly string[] }>> = {
  'AWS/SQS': {
    dimension: 'QueueName',
    names: ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage'],
  },
  'AWS/States': {
    dimension: 'StateMachineArn',
    names: [
      'ExecutionsStarted',
      'ExecutionsSucceeded',
      'ExecutionsFailed',
      'ExecutionsTimedOut',
      'ExecutionsAborted',
      'ExecutionTime',
    ],
  },
  'AWS/ApiGateway': {
    dimension: 'ApiName',
    names: ['Count', '4XXError', '5XXError', 'Latency'],
  },
  'AWS/Lambda': { dimension: 'FunctionName', names: ['Throttles'] },
  'AWS/DynamoDB': {
    dimension: 'TableName',
    names: [
      'ConsumedReadCapacityUnits',
      'ConsumedWriteCapacityUnits',
      'ReadThrottleEvents',
      'WriteThrottleEvents',
    ],
  },
};

/** Metrics of the whole account and region, and of the access log. */
const WITHOUT_DIMENSIONS = ['AWS/Lambda Throttles', `${OWN_NAMESPACE} ApiThrottled`];

/** Valid dimension values of AWS metrics: names of deployed resources. */
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  'AWS/SQS': ofType('AWS::SQS::Queue').map((logicalId) => `${logicalId}.QueueName`),
  'AWS/States': [
    'arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${self:custom.orderSagaName}',
  ],
  // Name that the serverless CLI gives; tests/integration/package.test.ts checks it.
  'AWS/ApiGateway': ['${sls:stage}-ordersaga'],
  'AWS/Lambda': [...deployedFunctions().keys()].map(
    (name) => `${name.charAt(0).toUpperCase()}${name.slice(1)}LambdaFunction`,
  ),
  'AWS/DynamoDB': ofType('AWS::DynamoDB::Table'),
};

function ofType(type: string): string[] {
  return [...resourceTypes()].filter(([, its]) => its === type).map(([logicalId]) => logicalId);
}

/** Valid values of the statuses on the dashboard. */
const STATUSES: Readonly<Record<string, object>> = {
  OrderStatusChanged: LEGAL_MOVES,
  PaymentStatusChanged: LEGAL_PAYMENT_MOVES,
};

function emittedDimensions(name: string): readonly string[] | undefined {
  const own: Readonly<Record<string, { readonly dimensions: readonly string[] }>> = {
    ...EVENTS,
    ...GAUGES,
  };
  const metric = own[name];
  return metric === undefined ? undefined : ['service', ...metric.dimensions];
}

/** Checks that the code emits a metric, or that AWS emits it about a deployed resource. */
function expectThere({ namespace, name, dimensions }: Metric): void {
  if (Object.keys(dimensions).length === 0) {
    expect(WITHOUT_DIMENSIONS).toContain(`${namespace} ${name}`);
    return;
  }
  if (namespace === OWN_NAMESPACE) {
    expect(Object.keys(dimensions), name).toEqual(emittedDimensions(name));
    expect(dimensions['service'], name).toBe('ordersaga');
    expectValues(name, dimensions);
    return;
  }
  const aws = AWS_METRICS[namespace];
  expect(aws?.names, namespace).toContain(name);
  expect(Object.keys(dimensions), name).toEqual([aws?.dimension]);
  const [value = ''] = Object.values(dimensions);
  // Inside Fn::Sub a reference is in braces, elsewhere after its tag.
  expect(SUBJECTS[namespace], name).toContain(/^\$\{([\w.]+)\}$/.exec(value)?.[1] ?? value);
}

/** Checks that a value of a dimension is one that the code emits. */
function expectValues(name: string, { from = '', to, refusal, code }: Metric['dimensions']): void {
  const moves = STATUSES[name] as Readonly<Record<string, readonly string[]>> | undefined;
  if (moves !== undefined) expect(moves[from], name).toContain(to);
  if (name === 'StepRefused') {
    expect([...BRANCHING_REFUSALS].map((refused) => refused.refusal.name)).toContain(refusal);
  }
  if (name === 'AccessRefused') {
    const refusals = [Unauthenticated, MissingScope, BadSignature];
    expect(refusals.map((refused) => refused.refusal.code as string)).toContain(code);
  }
}

/** Checks each `SEARCH('{"namespace",dimension,…} MetricName="name" …')` in an expression. */
function expectSearchable(expression: string): void {
  const pattern = /SEARCH\('\{(.+)\} MetricName="(\w+)"([^']*)', 'Sum', 300\)/;
  const [, quoted = '', name = '', terms = ''] = pattern.exec(expression) ?? [];
  const [namespace = '', ...schema] = quoted.replaceAll('"', '').split(',');
  if (namespace === OWN_NAMESPACE) {
    expect(schema, expression).toEqual(emittedDimensions(name));
    const [, status] = /^ to="(\w+)"$/.exec(terms) ?? [];
    if (status !== undefined) expect(Object.keys(STATUSES[name] ?? {})).toContain(status);
    else expect(terms, expression).toBe('');
    return;
  }
  expect(AWS_METRICS[namespace]?.names, expression).toContain(name);
  expect(schema, expression).toEqual([AWS_METRICS[namespace]?.dimension]);
  expect(terms, expression).toBe(' ordersaga ${sls:stage}');
}

describe('infrastructure/alarms.yml', () => {
  test.each([...alarms()])('%s looks at what there is', (_logicalId, { metrics }) => {
    expect(metrics.length).toBeGreaterThan(0);
    for (const metric of metrics) expectThere(metric);
  });

  test.each([...alarms()])('%s tells when it begins and when it is over', (_logicalId, alarm) => {
    expect(alarm.alarmActions).toEqual(['OperationsTopic']);
    expect(alarm.okActions).toEqual(['OperationsTopic']);
  });

  test('there is one for everything that needs a person', () => {
    expect([...alarms().values()].map(({ name }) => name)).toEqual([
      'saga-dead-letters',
      'compensation-dead-letters',
      'acknowledgement-dead-letters',
      'compensation-age',
      'acknowledgement-age',
      'saga-failed',
      'saga-timed-out',
      'inventory-circuit',
      'due-work-age',
      'expired-stock-age',
      'dispatcher-errors',
      'sweeper-errors',
      'dispatcher-silent',
      'sweeper-silent',
      'server-errors',
      'access-refused',
      'webhooks-refused',
      'service-refused',
      'api-throttled',
      'functions-throttled',
      'orders-failed',
      'payments-failed',
      'out-of-stock',
      'impossible-requests',
      'wrong-amount',
    ]);
  });

  test("none looks at Lambda's errors: ordinary branches of the saga are among them", () => {
    const looksAt = [...alarms().values()].flatMap(({ metrics }) => metrics);
    const ofLambda = looksAt.filter(({ namespace }) => namespace === 'AWS/Lambda');
    expect(ofLambda.map(({ name }) => name)).toEqual(['Throttles']);
  });

  test('no dead-letter queue is without one', () => {
    const watched = [...alarms().values()]
      .flatMap(({ metrics }) => metrics)
      .filter(({ name }) => name === 'ApproximateNumberOfMessagesVisible')
      .map(({ dimensions }) => dimensions['QueueName']);
    const deadLetterQueues = [...resourceTypes().keys()].filter((id) =>
      id.endsWith('DeadLetterQueue'),
    );
    expect(watched.sort()).toEqual(deadLetterQueues.map((id) => `${id}.QueueName`).sort());
  });
});

describe('infrastructure/dashboard.yml', () => {
  const graphs = dashboardWidgets().filter(({ type }) => type === 'metric');

  test.each(graphs)('"$properties.title" shows what there is', ({ properties }) => {
    expect(properties.metrics?.length).toBeGreaterThan(0);
    for (const [first, ...rest] of properties.metrics ?? []) {
      if (typeof first !== 'string') {
        expectSearchable((first as { readonly expression: string }).expression);
        continue;
      }
      const [name, ...pairs] = rest.filter((part) => typeof part === 'string');
      const dimensions = Object.fromEntries(
        pairs.flatMap((part, index) => (index % 2 === 0 ? [[part, pairs[index + 1]]] : [])),
      ) as Record<string, string>;
      expectThere({ namespace: first, name: name ?? '', dimensions });
    }
  });

  test('shows every status but the one before the first', () => {
    const shown = graphs.flatMap(({ properties }) =>
      (properties.metrics ?? []).map((metric) => JSON.stringify(metric)),
    );
    for (const [name, moves] of Object.entries(STATUSES)) {
      for (const status of Object.keys(moves).filter((key) => key !== 'NEW')) {
        expect(shown.filter((metric) => metric.includes(name)).join('\n')).toContain(
          `to=\\"${status}\\"`,
        );
      }
    }
  });

  test('shows every alarm', () => {
    const shown = dashboardWidgets().flatMap(({ properties }) => properties.alarms ?? []);
    expect(shown).toEqual([...alarms().keys()].map((logicalId) => `\${${logicalId}.Arn}`));
  });

  test('is laid out without gaps or overlaps', () => {
    const cells = new Set<string>();
    let area = 0;
    for (const { x, y, width, height } of dashboardWidgets()) {
      area += width * height;
      for (let column = x; column < x + width; column += 1) {
        for (let row = y; row < y + height; row += 1) {
          cells.add(`${String(column)},${String(row)}`);
        }
      }
    }
    const bottom = Math.max(...dashboardWidgets().map(({ y, height }) => y + height));
    expect(cells.size).toBe(area);
    expect(area).toBe(24 * bottom);
  });
});

describe('docs/operations.md', () => {
  const document = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  const sections = document.split(/^### /m).slice(1);

  test('has a section for every alarm, and none for another', () => {
    const titles = sections.map((section) => section.split('\n', 1)[0]);
    expect(titles).toEqual([...alarms().values()].map(({ name }) => name));
  });

  test.each(sections)('says what it means, what to look at and what to run: %s', (section) => {
    expect(section).toMatch(/^\*\*Means\.\*\* /m);
    expect(section).toMatch(/^\*\*Look at\*\* /m);
    expect(section).toMatch(/^\*\*Run\*\* /m);
  });
});
