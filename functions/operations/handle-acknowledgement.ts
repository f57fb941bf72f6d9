import { handleAcknowledgement } from '../../lib/orders/handle-acknowledgement.ts';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaQueues } from '../../lib/orders/recovery/saga-queues.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { httpPaymentGateway } from '../../lib/payments/http-gateway.ts';
import { queueHandler } from '../../lib/platform/lambda/queue-handler.ts';
import { currentRuntime, perRuntime } from '../../lib/platform/lambda/runtime.ts';

const service = perRuntime(
  orderServiceWith({ gateway: httpPaymentGateway, saga: sagaClient, queues: sagaQueues }),
);

export const handler = queueHandler((message) =>
  handleAcknowledgement(service(), currentRuntime(), message),
);
