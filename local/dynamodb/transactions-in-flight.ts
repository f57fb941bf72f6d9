import type { TransactWriteItemsCommandInput } from '@aws-sdk/client-dynamodb';
import { type Clock, sleep } from '../../lib/platform/clock.ts';
import { AwsError } from '../aws/aws-error.ts';
import { LIMITS } from './limits.ts';
import type { MemoryDynamoDb } from './memory-dynamodb.ts';

/** A known transaction; the map has it by its client request token. */
interface Known {
  readonly request: string;
  readonly isDone: boolean;
  readonly expiresAtMs: number;
}

/**
 * Makes transactions take time, as they do on AWS. Each holds its items between its decision and its commit. So
 * of a transaction in flight and another write of its items, only one succeeds. A transaction repeated with its
 * client request token, because its answer was lost, is not executed again.
 */
export class TransactionsInFlight {
  readonly #store: MemoryDynamoDb;
  readonly #clock: Clock;
  readonly #holdMs: number;
  readonly #known = new Map<string, Known>();

  /** @param holdMs time for which a transaction holds its items. */
  constructor(store: MemoryDynamoDb, clock: Clock, holdMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#holdMs = holdMs;
  }

  /**
   * @throws AwsError TransactionCanceledException or ValidationException, and by the token
   * TransactionInProgressException or IdempotentParameterMismatchException.
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
    // Entries are sorted by age: if one has not expired, no later one has.
    for (const [old, { expiresAtMs }] of this.#known) {
      if (expiresAtMs > nowMs) break;
      this.#known.delete(old);
    }
    this.#known.delete(token);
    this.#known.set(token, { request, isDone, expiresAtMs: nowMs + LIMITS.transactionTokenMs });
  }
}

/** @throws AwsError unless this very request was executed. */
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
