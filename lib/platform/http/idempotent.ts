import { IDEMPOTENCY_KEY } from '../../limits.ts';
import { BadRequest, DomainError } from '../errors.ts';
import { observe } from '../lambda/observe.ts';
import type { Call } from './call.ts';
import type { Idempotency } from './endpoint.ts';
import { problemAnswer } from './problem-answer.ts';

/**
 * Honours `Idempotency-Key`, and counts refused duplicates.
 * @param isOutdated tells whether a stored answer (its body) no longer answers a repeated request.
 */
export function idempotent(isOutdated?: (body: unknown) => Promise<boolean>): Idempotency {
  return {
    middleware: {
      before: ({ event: call }) => {
        call.idempotencyKey = idempotencyKeyOf(call.header('idempotency-key'));
      },
      onError: ({ event: call, error }) => {
        countDuplicate(error, call);
      },
    },
    async answer(call, context, respond) {
      const { idempotencyKey: key } = call;
      if (key === undefined) return respond();
      // A problem is an answer, too: some are stored.
      const produce = async () => {
        try {
          return await respond();
        } catch (error) {
          countDuplicate(error, call);
          return problemAnswer(error, call);
        }
      };
      const request = {
        route: call.route,
        userId: call.user.userId,
        key,
        content: { path: call.path, body: call.body },
      };
      // Loaded with the first request that brings a key.
      const { answerOnce } = await import('./answer-once.ts');
      const answer = await answerOnce(request, context, produce);
      const isReplayed = answer.headers['Idempotent-Replayed'] !== undefined;
      const isStale = isReplayed && (await isOutdated?.(JSON.parse(answer.body)));
      return isStale === true ? produce() : answer;
    },
  };
}

function idempotencyKeyOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (!IDEMPOTENCY_KEY.test(given)) {
    throw new BadRequest('Idempotency-Key must be 1 to 255 printable ASCII characters.');
  }
  return given;
}

function countDuplicate(error: unknown, { correlationId, route }: Call): void {
  const { refusal, details = {} } = error instanceof DomainError ? error : {};
  if (refusal?.isDuplicate !== true) return;
  const { orderId } = details as { readonly orderId?: string };
  observe('DuplicateRefused', { correlationId, route }, { code: refusal.code }, { orderId });
}
