import { IDEMPOTENCY_KEY } from '../../limits.ts';
import { BadRequest, DomainError } from '../errors.ts';
import { observe } from '../lambda/observe.ts';
import type { Call, Idempotency } from './endpoint.ts';

/**
 * Honours `Idempotency-Key`, and counts refused duplicates.
 * @param isOutdated tells whether a stored answer (its body) no longer answers a repeated request.
 */
export function idempotent(isOutdated?: (body: unknown) => Promise<boolean>): Idempotency {
  return {
    keyOf(call) {
      const key = call.header('idempotency-key');
      if (key === undefined || IDEMPOTENCY_KEY.test(key)) return key;
      throw new BadRequest('Idempotency-Key must be 1 to 255 printable ASCII characters.');
    },
    async answer(request, context, produce) {
      // Loaded with the first request that brings a key.
      const { answerOnce } = await import('./answer-once.ts');
      const answer = await answerOnce(request, context, produce);
      const isReplayed = answer.headers['Idempotent-Replayed'] !== undefined;
      const isStale = isReplayed && (await isOutdated?.(JSON.parse(answer.body)));
      return isStale === true ? produce() : answer;
    },
    countDuplicate,
  };
}

function countDuplicate(error: unknown, { correlationId, route }: Call): void {
  const { refusal, details } = error instanceof DomainError ? error : {};
  if (refusal?.isDuplicate !== true) return;
  observe('DuplicateRefused', { correlationId, route }, { code: refusal.code }, details);
}
