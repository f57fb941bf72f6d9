import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { IDEMPOTENCY_KEY } from '../../limits.ts';
import { databaseClient } from '../dynamo/database-client.ts';
import {
  BadRequest,
  DomainError,
  IdempotencyConflict,
  InfrastructureUnavailable,
  RequestInProgress,
} from '../errors.ts';
import { observe } from '../lambda/observe.ts';
import { perRuntime } from '../lambda/runtime.ts';
import type { Call, HttpAnswer, Idempotency } from './endpoint.ts';
import type * as Library from './idempotency-library.ts';
import { SEND_AGAIN } from './problems.ts';

const KEPT_SECONDS = 24 * 60 * 60;

/** Carries an answer past the store without storing it: the same key then runs again. */
class NotStored extends Error {
  override readonly name = 'NotStored';
  readonly answer: HttpAnswer;
  constructor(answer: HttpAnswer) {
    super('Not stored');
    this.answer = answer;
  }
}

/** Loads the library and makes its store with the first request that brings a key. */
const idempotency = perRuntime(async ({ config, aws }) => {
  const library = await import('./idempotency-library.ts');
  const persistenceStore = new library.DynamoDBPersistenceLayer({
    tableName: config.IDEMPOTENCY_TABLE,
    awsSdkV3Client: databaseClient(aws),
  });
  return { library, persistenceStore };
});

/**
 * Honours `Idempotency-Key`: runs a request once per user, route and key, and replays its answer for 24 hours with
 * `Idempotent-Replayed: true`. Only answers are kept that made or name something stored; all others are decided anew.
 * Counts refused duplicates.
 * The answer rejects with IdempotencyConflict if the key was used with other content, and with RequestInProgress if
 * the first request still runs.
 * @param options.isOutdated tells whether a stored answer (its body) no longer answers a repeated request.
 * @param options.storesRefused true if a 422 names what is stored, refused for good.
 */
export function idempotent(
  options: {
    readonly isOutdated?: (body: unknown) => Promise<boolean>;
    readonly storesRefused?: boolean;
  } = {},
): Idempotency {
  const keeps = (status: number) =>
    status < 400 || status === 402 || (status === 422 && options.storesRefused === true);
  return {
    keeps,
    keyOf(call) {
      const key = call.header('idempotency-key');
      if (key === undefined || IDEMPOTENCY_KEY.test(key)) return key;
      throw new BadRequest('Idempotency-Key must be 1 to 255 printable ASCII characters.');
    },
    async answer(request, context, produce) {
      const { library, persistenceStore } = await idempotency();
      const config = new library.IdempotencyConfig({
        eventKeyJmesPath: 'key',
        payloadValidationJmesPath: 'content',
        expiresAfterSeconds: KEPT_SECONDS,
        hashFunction: 'sha256',
        throwOnNoIdempotencyKey: true,
        lambdaContext: context,
      });
      let first: HttpAnswer | undefined;
      const once = library.makeIdempotent(
        async (_payload: { key: string; content: unknown }) => {
          first = await produce();
          if (keeps(first.statusCode)) return packed(first);
          throw new NotStored(first);
        },
        // Earlier versions stored answers in another form, under another prefix.
        { persistenceStore, config, keyPrefix: 'ordersaga-deflated' },
      );
      let stored: string;
      try {
        const key = JSON.stringify([request.userId, request.route, request.key]);
        stored = await once({ key, content: request.content });
      } catch (error) {
        if (error instanceof NotStored) return error.answer;
        throw translate(error, library);
      }
      if (first !== undefined) return first;
      const answer = replayed(unpacked(stored));
      return (await options.isOutdated?.(JSON.parse(answer.body))) === true ? produce() : answer;
    },
    countDuplicate,
  };
}

/** An answer as it is stored: most fit into one write unit. */
function packed(answer: HttpAnswer): string {
  return deflateRawSync(JSON.stringify(answer)).toString('base64');
}

function unpacked(stored: string): HttpAnswer {
  return JSON.parse(inflateRawSync(Buffer.from(stored, 'base64')).toString()) as HttpAnswer;
}

function replayed(answer: HttpAnswer): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, 'Idempotent-Replayed': 'true' } };
}

function translate(error: unknown, library: typeof Library): unknown {
  if (error instanceof library.IdempotencyValidationError) {
    return new IdempotencyConflict(IdempotencyConflict.refusal.advice);
  }
  if (
    error instanceof library.IdempotencyAlreadyInProgressError ||
    error instanceof library.IdempotencyInconsistentStateError
  ) {
    return new RequestInProgress(RequestInProgress.refusal.advice);
  }
  if (error instanceof library.IdempotencyPersistenceLayerError) {
    return new InfrastructureUnavailable(SEND_AGAIN, { cause: error, retryAfterSeconds: 1 });
  }
  return error;
}

function countDuplicate(error: unknown, { correlationId, route }: Call): void {
  const { refusal, details } = error instanceof DomainError ? error : {};
  if (refusal?.isDuplicate !== true) return;
  observe('DuplicateRefused', { correlationId, route }, { code: refusal.code }, details);
}
