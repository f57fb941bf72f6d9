import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

let metrics: Metrics | undefined;

/** Counts one occurrence in CloudWatch's embedded metric format, with its dimensions. */
export function count(metric: string, dimensions: Readonly<Record<string, string>>): void {
  metrics ??= new Metrics({ namespace: 'ordersaga', serviceName: 'ordersaga' });
  const single = metrics.singleMetric();
  for (const [name, value] of Object.entries(dimensions)) single.addDimension(name, value);
  single.addMetric(metric, MetricUnit.Count, 1);
}
