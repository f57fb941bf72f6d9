import type { Context } from 'aws-lambda';
import { InfrastructureUnavailable } from '../errors.ts';
import { loggerFor } from './logging.ts';
import { measure, observe } from './observe.ts';
import { pipeline } from './pipeline.ts';
import type { Round } from './round.ts';

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
