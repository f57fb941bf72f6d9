import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { InfrastructureUnavailable } from './errors.ts';

/** Why a conditional write or a transaction did not happen; nothing of it was written. */
export type WriteRefusal =
  /** A condition no longer holds; `failed` lists the positions in the transaction. */
  | { readonly kind: 'CONDITION'; readonly failed: readonly number[] }
  /** Only another transaction at the same item stood in the way. */
  | { readonly kind: 'CONFLICT' };

/**
 * Runs one conditional write or transaction.
 * @returns undefined where it was written, otherwise why not.
 * @throws InfrastructureUnavailable where the database failed or did not answer: unknown, try again.
 */
export async function conditionalWrite(
  write: () => Promise<unknown>,
): Promise<WriteRefusal | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return { kind: 'CONDITION', failed: [0] };
    if (error instanceof TransactionConflictException) return { kind: 'CONFLICT' };
    if (error instanceof TransactionCanceledException) {
      const codes = (error.CancellationReasons ?? []).map((reason) => reason.Code);
      const failed = codes.flatMap((code, index) =>
        code === 'ConditionalCheckFailed' ? [index] : [],
      );
      if (failed.length > 0) return { kind: 'CONDITION', failed };
      if (codes.includes('TransactionConflict')) return { kind: 'CONFLICT' };
    }
    throw unavailable(error);
  }
}

/**
 * Runs one read.
 * @throws InfrastructureUnavailable with the SDK's error as `cause`.
 */
export async function databaseRead<Output>(read: () => Promise<Output>): Promise<Output> {
  try {
    return await read();
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): InfrastructureUnavailable {
  return new InfrastructureUnavailable('The database did not answer; try again.', {
    cause,
    retryAfterSeconds: 1,
  });
}
