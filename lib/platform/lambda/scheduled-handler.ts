import type { Context } from 'aws-lambda';
import { InfrastructureUnavailable } from '../errors.ts';
import { loggerFor } from './logging.ts';
import { measure, observe } from './observe.ts';
import type { Round } from './round.ts';

/** Remaining time at which no new work begins: enough for a call that times out and is sent again. */
const ROUND_MARGIN_MS = 15_000;

/**
 * Makes the Lambda of one scheduled operation. The operation reports failed work itself, and a later
 * round retries it. If a shard could not be read, the function fails after the round, so that an alarm
 * on its errors sees it. If Lambda then runs the function again, that is only another round.
 */
export function scheduledHandler(
  operation: string,
  perform: (hasTime: () => boolean) => Promise<Round>,
) {
  return async (_event: unknown, context: Context) => {
    const round = await perform(() => context.getRemainingTimeInMillis() > ROUND_MARGIN_MS);
    reportRound(operation, round);
    if (round.unread.length > 0) {
      throw new InfrastructureUnavailable('Some due work could not be read.', {
        cause: round.unread[0]?.error,
      });
    }
    return { handled: round.handled };
  };
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
