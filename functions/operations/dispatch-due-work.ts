import { dispatchDueWork } from '../../lib/orders/recovery/dispatch-due-work.ts';
import { orderService } from '../../lib/orders/whole-order-service.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';
import { scheduledHandler } from '../../lib/platform/lambda/scheduled-handler.ts';

const service = perRuntime(orderService);

export const handler = scheduledHandler('dispatch-due-work', (hasTime) =>
  dispatchDueWork(service(), hasTime),
);
