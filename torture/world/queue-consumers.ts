import { SQSClient } from '@aws-sdk/client-sqs';
import { QueuePoller } from '../../local/stack/queue-poller.ts';
import { eventsOf } from '../../local/stack/service-definition.ts';
import type { Foundation } from './foundation.ts';
import type { Parts } from './parts.ts';
import type { MessageQueue } from './sqs/message-queue.ts';

/** Invokes each queue's function with visible messages as soon as there are any, one batch at a time. */
export function consumeQueues({
  service,
  foundation,
  storage,
  functions,
  requestHandler,
}: Omit<Parts, 'gateway' | 'stepFunctions' | 'api' | 'config'>): void {
  const { region } = service.provider;
  const client = new SQSClient({ requestHandler });
  for (const { key, event } of eventsOf(service, 'sqs')) {
    const { queue, url } = storage.sourceOf(event);
    const poller = new QueuePoller({
      client,
      region,
      queueArn: queue.settings.arn,
      queueUrl: url,
      batchSize: event.batchSize,
      reportsFailures: event.functionResponseType !== undefined,
      invoke: (records) => functions.invoke(key, records),
      onError: foundation.onDefect,
    });
    pollWhenVisible(queue, poller, foundation);
  }
}

function pollWhenVisible(
  queue: MessageQueue,
  poller: QueuePoller,
  { detached, onDefect }: Foundation,
): void {
  let isPolling = false;
  const poll = async () => {
    isPolling = true;
    while (queue.hasVisible) await poller.pollOnce();
    isPolling = false;
  };
  queue.onVisible(() => {
    if (!isPolling) {
      detached(() => {
        poll().catch(onDefect);
      });
    }
  });
}
