import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { InfrastructureUnavailable } from '../errors.ts';
import { isTemporary } from '../http/problems.ts';
import { loggerFor } from './logging.ts';
import { measure, observe } from './observe.ts';
import { pipeline } from './pipeline.ts';
import type { Round } from './round.ts';

/** The input of every saga task. */
export const sagaRunSchema = z.object({
  orderId: z.string(),
  run: z.int().min(1),
  correlationId: z.string(),
});

/** The input of a task that waits: also the token of this wait. */
export const waitingTaskSchema = sagaRunSchema.extend({ taskToken: z.string() });

/** The input of a task behind a Catch: also what was caught. */
export const failedTaskSchema = sagaRunSchema.extend({
  failure: z.object({ Error: z.string() }),
});

interface TaskInput {
  readonly orderId: string;
  readonly correlationId: string;
}

/**
 * Makes the Lambda of one saga task. Domain errors are the state machine's branches: they leave by
 * their `name`. An outage or a defect is a failure of the step, and is told with its stack.
 */
export function taskHandler<Schema extends z.ZodType<TaskInput>>(
  step: string,
  schema: Schema,
  perform: (input: z.infer<Schema>) => Promise<unknown>,
) {
  return pipeline<unknown, unknown>().handler(async (event: unknown) => {
    const input = schema.parse(event);
    const { orderId, correlationId } = input;
    const about = { step, orderId, correlationId };
    try {
      const result = await perform(input);
      loggerFor(about).info('Step done');
      return result ?? null;
    } catch (thrown) {
      const error = thrown as Error;
      if (isTemporary(error)) {
        observe('StepFailed', about, { step, failure: error.name }, { error });
      } else {
        loggerFor(about).info('Step branched', { branch: error.name, why: error.message });
      }
      throw error;
    }
  });
}

/**
 * What is under way then can still end before the function's time-out, even where a call runs into its
 * own and is sent again.
 */
const ROUND_MARGIN_MS = 15_000;

/**
 * Makes the Lambda of one scheduled operation, which is told whether it still has time. Work that
 * failed is the operation's own to report and tried again. What could not even be read is known to
 * nobody: after a round like this, which has done all it could, the function fails, so that an alarm
 * on its errors sees it. If Lambda then runs it again, that is only another round.
 */
export function scheduledHandler(
  operation: string,
  perform: (hasTime: () => boolean) => Promise<Round>,
) {
  return pipeline<unknown, unknown>().handler(async (_event: unknown, context: Context) => {
    const round = await perform(() => context.getRemainingTimeInMillis() > ROUND_MARGIN_MS);
    reportRound(operation, round);
    if (round.unread.length > 0) {
      throw new InfrastructureUnavailable('Not all of what is due could be read.', {
        cause: round.unread[0]?.error,
      });
    }
    return { handled: round.handled };
  });
}

function reportRound(operation: string, round: Round): void {
  const { handled, isCutShort, left, oldestOverdueMs, unread } = round;
  measure('OldestDueWork', { operation }, oldestOverdueMs / 1000);
  for (const { shard, error } of unread) {
    observe('ShardNotRead', {}, { operation }, { shard, error });
  }
  if (isCutShort) observe('RoundCutShort', {}, { operation }, { handled, left });
  else if (handled > 0) loggerFor({ operation }).info('Scheduled round done', { handled });
}
