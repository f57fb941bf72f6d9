import { describe, expect, test } from 'vitest';
import { parametersOf, resourcesOf, stageParameters } from './deployment.ts';

describe('a table', () => {
  test.each([...resourcesOf('AWS::DynamoDB::Table')])(
    '%s is paid by use, encrypted, and can be put back to any moment',
    (_name, table) => {
      expect(table.Properties).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        SSESpecification: { SSEEnabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: '${param:TABLE_DELETION_PROTECTION}',
      });
      expect(table).toMatchObject({
        DeletionPolicy: '${param:TABLE_DELETION_POLICY}',
        UpdateReplacePolicy: '${param:TABLE_DELETION_POLICY}',
      });
    },
  );

  test('stays in prod, whoever removes the stage', () => {
    const kept = { TABLE_DELETION_POLICY: 'Retain', TABLE_DELETION_PROTECTION: true };
    expect(parametersOf('prod')).toMatchObject(kept);
    expect(parametersOf('dev')).toMatchObject({
      TABLE_DELETION_POLICY: 'Delete',
      TABLE_DELETION_PROTECTION: false,
    });
  });
});

describe('a queue', () => {
  const queues = [...resourcesOf('AWS::SQS::Queue')];
  test.each(queues)('%s is encrypted', (_name, queue) => {
    expect(queue.Properties['SqsManagedSseEnabled']).toBe(true);
  });

  test.each([
    ['CompensationDeadLetterQueue', 'byQueue', '-compensation'],
    ['AcknowledgementDeadLetterQueue', 'byQueue', '-acknowledgement'],
    ['SagaDeadLetterQueue', 'denyAll', undefined],
  ])('%s takes the messages of its own queue only', (name, redrivePermission, source) => {
    const policy = resourcesOf('AWS::SQS::Queue').get(name)?.Properties['RedriveAllowPolicy'];
    const sources = (policy as { sourceQueueArns?: string[] }).sourceQueueArns ?? [];
    expect(policy).toMatchObject({ redrivePermission });
    expect(sources.map((arn) => arn.slice(arn.lastIndexOf('-')))).toEqual(
      source === undefined ? [] : [source],
    );
  });

  test('that is a dead-letter queue keeps its letters for two weeks', () => {
    const letters = queues.filter(([name]) => name.endsWith('DeadLetterQueue'));
    expect(letters).toHaveLength(3);
    for (const [, { Properties }] of letters) {
      expect(Properties['MessageRetentionPeriod']).toBe(14 * 24 * 60 * 60);
    }
  });
});

test('stages differ in parameters that every stage has', () => {
  for (const stage of ['local', 'prod']) {
    const own = Object.keys(parametersOf(stage)).filter((name) => name !== 'GATEWAY_URL');
    expect(Object.keys(stageParameters())).toEqual(expect.arrayContaining(own));
  }
});
