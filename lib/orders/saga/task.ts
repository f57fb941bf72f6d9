import * as z from 'zod';
import { isTemporary } from '../../platform/errors.ts';
import { loggerFor } from '../../platform/lambda/logging.ts';
import { observe } from '../../platform/lambda/observe.ts';
import type { Order } from '../order.ts';
import type { OrderService } from '../order-service.ts';
import type { SagaRun } from '../saga-client.ts';
import { ConfirmationUnfinished, RunSuperseded, Signal } from './signals.ts';

/** Input of every saga task. */
export const sagaRunSchema = z.object({
  orderId: z.string(),
  run: z.int().min(1),
  correlationId: z.string(),
});

/** Input of a task that waits: also the wait's token. */
export const waitingTaskSchema = sagaRunSchema.extend({ taskToken: z.string() });

/** Input of a task behind a Catch: also the caught error. */
export const failedTaskSchema = sagaRunSchema.extend({
  failure: z.object({ Error: z.string() }),
});

interface TaskInput {
  readonly orderId: string;
  readonly correlationId: string;
}

/**
 * Makes the Lambda of one saga task. Signals and refusals are branches of the state machine, which
 * matches their `name`. An outage or a defect is a failure of the step, logged with its stack.
 */
export function taskHandler<Schema extends z.ZodType<TaskInput>>(
  step: string,
  schema: Schema,
  perform: (input: z.infer<Schema>) => Promise<unknown>,
) {
  return async (event: unknown): Promise<unknown> => {
    const input = schema.parse(event);
    const { orderId, correlationId } = input;
    const about = { step, orderId, correlationId };
    try {
      const result = await perform(input);
      loggerFor(about).info('Step done');
      return result ?? null;
    } catch (thrown) {
      const error = thrown as Error;
      const why = error instanceof ConfirmationUnfinished ? (error.cause as Error) : error;
      if (!(why instanceof Signal) && isTemporary(why)) {
        observe('StepFailed', about, { step, failure: why.name }, { error });
      } else {
        loggerFor(about).info('Step branched', { branch: error.name, why: why.message });
      }
      throw error;
    }
  };
}

/**
 * The order, read consistently, for the execution that owns it.
 * @throws RunSuperseded if a newer run took over, or the order is unknown.
 */
export async function orderOfRun(service: OrderService, input: SagaRun): Promise<Order> {
  return requireRun(await service.orders.getOrder(input.orderId), input);
}

/** @throws RunSuperseded if a newer run took over, or the order is unknown. */
export function requireRun(order: Order | undefined, input: SagaRun): Order {
  if (order?.run !== input.run) {
    throw new RunSuperseded('A newer run of this order has taken over.');
  }
  return order;
}
