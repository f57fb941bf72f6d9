import * as z from 'zod';
import { isTemporary } from '../../platform/errors.ts';
import { loggerFor } from '../../platform/lambda/logging.ts';
import { observe } from '../../platform/lambda/observe.ts';
import type { Order } from '../order.ts';
import type { OrderService } from '../order-service.ts';
import type { SagaRun } from '../saga-client.ts';
import type { Wait } from '../stored-wait.ts';
import { ConfirmationUnfinished, RunSuperseded, Signal, WaitSuperseded } from './signals.ts';

/** Input of every saga task. */
export const sagaRunSchema = z.object({
  orderId: z.string(),
  run: z.int().min(1),
  correlationId: z.string(),
});

/** Input of a task that waits: also the attempt that it is, and its token. */
export const waitingTaskSchema = sagaRunSchema
  .extend({
    taskToken: z.string(),
    enteredAt: z.iso.datetime({ offset: true }),
    retryCount: z.int().min(0),
  })
  .transform(({ taskToken, enteredAt, ...attempt }) => ({
    ...attempt,
    enteredAtMs: Date.parse(enteredAt),
    token: taskToken,
  }));

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

/**
 * Stores the wait's token, before the order is looked at or written (wait.ts).
 * @throws WaitSuperseded if a newer attempt waits already.
 */
export async function storeWait(service: OrderService, wait: Wait): Promise<void> {
  if ((await service.orders.storeWait(wait)) === 'NEWER_THERE') {
    throw new WaitSuperseded('A newer attempt of this step waits already.');
  }
}
