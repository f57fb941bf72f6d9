import { expect, test } from 'vitest';
import { readConfig } from '../../lib/platform/config.ts';
import { REQUIRED } from '../unit/lib/platform/environment.ts';
import { redrivePolicies, stageParameters } from './deployment.ts';

test('a queue hands a message out as often as its consumer counts on', () => {
  expect([...redrivePolicies().keys()]).toEqual(['CompensationQueue', 'AcknowledgementQueue']);
  for (const { maxReceiveCount } of redrivePolicies().values()) {
    expect(maxReceiveCount).toBe('${param:QUEUE_MAX_RECEIVES}');
  }
  expect(stageParameters()['QUEUE_MAX_RECEIVES']).toBe(readConfig(REQUIRED).QUEUE_MAX_RECEIVES);
});
