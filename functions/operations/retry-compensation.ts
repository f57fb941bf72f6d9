import { orderService } from '../../lib/orders/order-service.ts';
import { retryCompensation } from '../../lib/orders/retry-compensation.ts';
import { queueHandler } from '../../lib/platform/queue.ts';
import { currentRuntime, perRuntime } from '../../lib/platform/runtime.ts';

const service = perRuntime(orderService);

export const handler = queueHandler((message) =>
  retryCompensation(service(), currentRuntime(), message),
);
