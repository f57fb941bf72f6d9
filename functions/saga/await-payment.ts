import * as z from 'zod';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { awaitPayment } from '../../lib/orders/saga/await-payment.ts';
import { taskHandler, waitingTaskSchema } from '../../lib/orders/saga/task.ts';
import { sagaClient } from '../../lib/orders/saga-client.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';
import { moneySchema } from '../../lib/platform/schemas.ts';

const service = perRuntime(orderServiceWith({ saga: sagaClient }));

const inputSchema = waitingTaskSchema.extend({
  reservation: z
    .object({
      revision: z.int(),
      expiresAtMs: z.int(),
      lines: z.array(z.object({ productId: z.string(), unitPrice: moneySchema })),
    })
    .nullable(),
});

export const handler = taskHandler('await-payment', inputSchema, ({ taskToken, ...input }) =>
  awaitPayment(service(), { ...input, waitToken: taskToken }),
);
