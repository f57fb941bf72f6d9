import type { Context } from 'aws-lambda';
import { InfrastructureUnavailable } from '../errors.ts';
import { loggerFor } from './logging.ts';
import { measure, observe } from './observe.ts';
import type { Round } from './round.ts';

/** Remaining time at which no new work begins: enough for a call that times out and is sent again. */
const ROUND_MARGIN_MS = 15_000;

/**
 * Makes the Lambda of one scheduled operation. The operation reports failed work itself, and a later round retries
 * it. A round that ends early, or cannot read a shard, is reported as `RoundFailed`, which has an alarm. Then the
 * function fails; if Lambda runs it again, that is only another round.
 */
export function scheduledHandler(
  operation: string,
  perform: (hasTime: () => boolean) => Promise<Round>,
) {
  return async (_event: unknown, context: Context) => {
    try {
      const round = await perform(() => context.getRemainingTimeInMillis() > ROUND_MARGIN_MS);
      reportRound(operation, round);
      requireAllRead(round);
      return { handled: round.handled };
    } catch (error) {
      observe('RoundFailed', {}, { operation }, { error });
      throw error;
    }
  };
}

/** Reports a round that came to its end. Its gauge is also the sign that the operation is alive. */
function reportRound(operation: string, round: Round): void {
  const { handled, isCutShort, left, oldestOverdueMs } = round;
  measure('OldestDueWork', { operation }, oldestOverdueMs / 1000);
  if (isCutShort) observe('RoundCutShort', {}, { operation }, { handled, left });
  else if (handled > 0) loggerFor({ operation }).info('Scheduled round done', { handled });
}

/** @throws InfrastructureUnavailable that names the shards which could not be read. */
function requireAllRead({ unread }: Round): void {
  if (unread.length === 0) return;
  const shards = unread.map(({ shard }) => shard).join(', ');
  throw new InfrastructureUnavailable(`Due work could not be read in shards ${shards}.`, {
    cause: unread[0]?.error,
  });
}
