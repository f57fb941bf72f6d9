import * as z from 'zod';
import { orderServiceWith } from '../../lib/orders/order-service.ts';
import { endExhausted } from '../../lib/orders/saga/report-exhausted.ts';
import { sagaQueues } from '../../lib/orders/saga-queues.ts';
import { perRuntime } from '../../lib/platform/runtime.ts';
import { failedTaskSchema, taskHandler } from '../../lib/platform/task.ts';

const exhaustedSchema = failedTaskSchema.extend({ step: z.string() });
const service = perRuntime(orderServiceWith({ queues: sagaQueues }));

export const handler = taskHandler('report-exhausted', exhaustedSchema, ({ failure, ...input }) =>
  endExhausted(service(), { ...input, failure: failure.Error }),
);
