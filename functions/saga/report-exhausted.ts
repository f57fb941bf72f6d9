import * as z from 'zod';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { sagaQueues } from '../../lib/orders/recovery/saga-queues.ts';
import { endExhausted } from '../../lib/orders/saga/report-exhausted.ts';
import { perRuntime } from '../../lib/platform/lambda/runtime.ts';
import { failedTaskSchema, taskHandler } from '../../lib/platform/lambda/task.ts';

const exhaustedSchema = failedTaskSchema.extend({ step: z.string() });
const service = perRuntime(orderServiceWith({ queues: sagaQueues }));

export const handler = taskHandler('report-exhausted', exhaustedSchema, ({ failure, ...input }) =>
  endExhausted(service(), { ...input, failure: failure.Error }),
);
