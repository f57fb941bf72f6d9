import * as z from 'zod';
import { RESERVATION_REFUSALS } from '../../inventory/refusals.ts';
import { DomainError, type RefusalClass } from '../../platform/errors.ts';
import { type LogContext, loggerFor } from '../../platform/lambda/logging.ts';
import { observe } from '../../platform/lambda/observe.ts';
import type { Order } from '../order.ts';
import type { OrderService } from '../order-service.ts';
import { ReservationExpired } from '../refusals.ts';
import type { SagaRun } from '../saga-client.ts';
import type { Wait } from '../stored-wait.ts';
import {
  ConfirmationUnfinished,
  InventoryPaused,
  RunSuperseded,
  Signal,
  WaitSuperseded,
} from './signals.ts';

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

/** Business rules that refuse a step's work: the state machine has a branch for each. */
export const BRANCHING_REFUSALS: ReadonlySet<RefusalClass> = new Set<RefusalClass>([
  ...RESERVATION_REFUSALS,
  ReservationExpired,
]);

/**
 * Makes the Lambda of one saga task. Step Functions matches the `name` of what it throws. A signal or a refusal
 * is a branch of the state machine; everything else is a failure of the step. Lambda reports both as errors, so
 * only `StepFailed` tells failures.
 */
export function taskHandler<Schema extends z.ZodType<TaskInput>>(
  step: string,
  schema: Schema,
  perform: (input: z.infer<Schema>) => Promise<unknown>,
) {
  return async (event: unknown): Promise<unknown> => {
    let about: LogContext = { step };
    try {
      const input = schema.parse(event);
      const { orderId, correlationId } = input;
      about = { step, orderId, correlationId };
      const result = await perform(input);
      loggerFor(about).info('Step done');
      return result ?? null;
    } catch (error) {
      report(step, about, error as Error);
      throw error;
    }
  };
}

/** Reports the end of a step that threw, once: as a branch, a refusal or a failure. */
function report(step: string, about: LogContext, error: Error): void {
  const { name: branch } = error;
  const failure = causeOf(error);
  const { message: why } = failure;
  if (failure instanceof Signal) {
    loggerFor(about).info('Step branched', { branch, why });
  } else if (
    failure instanceof DomainError &&
    BRANCHING_REFUSALS.has(failure.constructor as RefusalClass)
  ) {
    observe('StepRefused', about, { step, refusal: branch }, { why });
  } else {
    observe('StepFailed', about, { step, failure: failure.name }, { error: failure });
  }
}

/** The failure that a step hands on under another name; without one, the error itself. */
function causeOf(error: Error): Error {
  const isHandedOn = error instanceof ConfirmationUnfinished || error instanceof InventoryPaused;
  return isHandedOn && error.cause instanceof Error ? error.cause : error;
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
