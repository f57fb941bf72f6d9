import { handleAcknowledgement } from '../../lib/orders/handle-acknowledgement.ts';
import { orderService } from '../../lib/orders/order-service.ts';
import { queueHandler } from '../../lib/platform/queue.ts';
import { currentRuntime, perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderService);

export const handler = queueHandler((message) =>
  handleAcknowledgement(service(), currentRuntime(), message),
);
