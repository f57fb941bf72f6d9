import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  IdempotencyInconsistentStateError,
  IdempotencyPersistenceLayerError,
  IdempotencyValidationError,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { Context } from 'aws-lambda';
import { databaseClient } from '../dynamo/database-client.ts';
import { IdempotencyConflict, InfrastructureUnavailable, RequestInProgress } from '../errors.ts';
import { perRuntime } from '../lambda/runtime.ts';
import type { HttpAnswer, KeyedRequest } from './endpoint.ts';
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

const store = perRuntime(
  (runtime) =>
    new DynamoDBPersistenceLayer({
      tableName: runtime.config.IDEMPOTENCY_TABLE,
      awsSdkV3Client: databaseClient(runtime.aws),
    }),
);

/**
 * Runs `produce` once per user, route and key, and replays its answer for 24 hours with
 * `Idempotent-Replayed: true`. Answers that hold only for the moment are not stored.
 * @throws IdempotencyConflict if the key was used with other content.
 * @throws RequestInProgress if the first request still runs.
 */
export async function answerOnce(
  request: KeyedRequest,
  context: Context,
  produce: () => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const config = new IdempotencyConfig({
    eventKeyJmesPath: 'key',
    payloadValidationJmesPath: 'content',
    expiresAfterSeconds: KEPT_SECONDS,
    hashFunction: 'sha256',
    throwOnNoIdempotencyKey: true,
    lambdaContext: context,
    responseHook: (answer) => replayed(answer as unknown as HttpAnswer) as never,
  });
  const once = makeIdempotent(
    async (_payload: { key: string; content: unknown }) => {
      const answer = await produce();
      if (isTransient(answer.statusCode, answer.headers['Retry-After']))
        throw new NotStored(answer);
      return { ...answer };
    },
    { persistenceStore: store(), config, keyPrefix: 'ordersaga' },
  );
  try {
    return await once({
      key: JSON.stringify([request.userId, request.route, request.key]),
      content: request.content,
    });
  } catch (error) {
    if (error instanceof NotStored) return error.answer;
    throw translate(error);
  }
}

/**
 * True for answers that hold only for the moment, and so are not stored: 5xx, a conflict with the present state
 * (nothing was done), and refusals that say when to come back.
 */
export function isTransient(status: number, retryAfter: unknown): boolean {
  return status >= 400 && (status >= 500 || status === 409 || retryAfter !== undefined);
}

function replayed(answer: HttpAnswer): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, 'Idempotent-Replayed': 'true' } };
}

function translate(error: unknown): unknown {
  if (error instanceof IdempotencyValidationError) {
    return new IdempotencyConflict(IdempotencyConflict.refusal.advice);
  }
  if (
    error instanceof IdempotencyAlreadyInProgressError ||
    error instanceof IdempotencyInconsistentStateError
  ) {
    return new RequestInProgress(RequestInProgress.refusal.advice);
  }
  if (error instanceof IdempotencyPersistenceLayerError) {
    return new InfrastructureUnavailable(SEND_AGAIN, { cause: error, retryAfterSeconds: 1 });
  }
  return error;
}
