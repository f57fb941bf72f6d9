import { handleAcknowledgement } from '../../lib/orders/handle-acknowledgement.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { sagaQueues } from '../../lib/orders/saga-queues.ts';
import { queueHandler } from '../../lib/platform/queue.ts';
import { currentRuntime, perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient, queues: sagaQueues }));

export const handler = queueHandler((message) =>
  handleAcknowledgement(service(), currentRuntime(), message),
);
