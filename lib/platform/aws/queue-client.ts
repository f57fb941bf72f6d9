import { SQSClient } from '@aws-sdk/client-sqs';
import { intercepted, OVER_THE_NETWORK, perAccess } from './aws-access.ts';

export const queueClient = perAccess('queues', (access) =>
  intercepted(
    new SQSClient({
      requestHandler: access.requestHandler ?? OVER_THE_NETWORK,
      // A queue's URL names the queue. The endpoint is configured; the host in the URL may be unknown here.
      useQueueUrlAsEndpoint: false,
    }),
    'sqs',
    access,
  ),
);
