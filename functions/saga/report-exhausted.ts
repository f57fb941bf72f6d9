import * as z from 'zod';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaQueues } from '../../lib/orders/recovery/saga-queues.ts';
import { reportExhausted } from '../../lib/orders/saga/report-exhausted.ts';
import { failedTaskSchema, taskHandler } from '../../lib/orders/saga/task.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';

const exhaustedSchema = failedTaskSchema.extend({ step: z.string() });
const service = perRuntime(orderServiceWith({ queues: sagaQueues }));

export const handler = taskHandler('report-exhausted', exhaustedSchema, ({ failure, ...input }) =>
  reportExhausted(service(), { ...input, failure: failure.Error }),
);
