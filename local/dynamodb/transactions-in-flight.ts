import type { TransactWriteItemsCommandInput } from '@aws-sdk/client-dynamodb';
import { type Clock, sleep } from '../../lib/platform/clock.ts';
import { AwsError } from '../aws/aws-error.ts';
import { LIMITS } from './limits.ts';
import type { MemoryDynamoDb } from './memory-dynamodb.ts';

/** A transaction by its client's token. */
interface Known {
  readonly request: string;
  readonly isDone: boolean;
  readonly expiresAtMs: number;
}

/**
 * Has transactions take time, as AWS does: each holds its items between its decision and its
 * commit, so that one in flight and any other write of its items do not both come through. And one
 * that comes again with its client's token, because its answer was lost, is not carried out again.
 */
export class TransactionsInFlight {
  readonly #store: MemoryDynamoDb;
  readonly #clock: Clock;
  readonly #holdMs: number;
  readonly #known = new Map<string, Known>();

  /** @param holdMs how long a transaction holds its items. */
  constructor(store: MemoryDynamoDb, clock: Clock, holdMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#holdMs = holdMs;
  }

  /**
   * @throws AwsError TransactionCanceledException, ValidationException, and by the token
   *   TransactionInProgressException and IdempotentParameterMismatchException.
   */
  async write(input: TransactWriteItemsCommandInput): Promise<object> {
    const { ClientRequestToken: token, ...rest } = input;
    if (token === undefined) return this.#carryOut(rest);
    const request = JSON.stringify(rest);
    const known = this.#find(token);
    if (known !== undefined) return repeated(known, request);
    this.#remember(token, request, false);
    try {
      const answer = await this.#carryOut(rest);
      this.#remember(token, request, true);
      return answer;
    } catch (error) {
      this.#known.delete(token);
      throw error;
    }
  }

  async #carryOut(input: TransactWriteItemsCommandInput): Promise<object> {
    const commit = this.#store.beginTransaction(input);
    await sleep(this.#clock, this.#holdMs);
    return commit();
  }

  #find(token: string): Known | undefined {
    const known = this.#known.get(token);
    return known !== undefined && known.expiresAtMs > this.#clock.now() ? known : undefined;
  }

  #remember(token: string, request: string, isDone: boolean): void {
    const nowMs = this.#clock.now();
    // The oldest come first: none after one that has not expired has expired.
    for (const [old, { expiresAtMs }] of this.#known) {
      if (expiresAtMs > nowMs) break;
      this.#known.delete(old);
    }
    this.#known.delete(token);
    this.#known.set(token, { request, isDone, expiresAtMs: nowMs + LIMITS.transactionTokenMs });
  }
}

/** @throws AwsError unless this very request was carried out. */
function repeated(known: Known, request: string): object {
  if (known.request !== request) {
    throw new AwsError(
      'IdempotentParameterMismatchException',
      'The request has the token of another one',
    );
  }
  if (!known.isDone) {
    throw new AwsError('TransactionInProgressException', 'The transaction is in progress');
  }
  return {};
}
