import type { TransactWriteItemsCommandInput } from '@aws-sdk/client-dynamodb';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import { AwsError, UnsupportedRequest } from '../aws/aws-error.ts';
import { type Answer, type JsonServer, startJsonServer } from '../aws/json-server.ts';
import type { MemoryDynamoDb } from './memory-dynamodb.ts';
import { TransactionsInFlight } from './transactions-in-flight.ts';

export interface MemoryDynamoDbServerOptions {
  readonly store: MemoryDynamoDb;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Time for which a transaction holds its items. Two that overlap in it collide; two in turn never do. */
  readonly holdMs?: number;
  /** Clock of the holds and of the tokens' expiry. */
  readonly clock?: Clock;
}

const TARGET_PREFIX = 'DynamoDB_20120810.';
/** AWS's limit of a request, 16 MB, doubled because JSON may escape characters. */
const LONGEST_BODY_BYTES = 32 * 1024 * 1024;

/**
 * Serves DynamoDB's JSON protocol over a store in memory, for this and other processes.
 * @throws the listening socket's own error, such as EADDRINUSE.
 */
export function startMemoryDynamoDbServer({
  store,
  host,
  port,
  holdMs = 1,
  clock = systemClock,
}: MemoryDynamoDbServerOptions): Promise<JsonServer> {
  const transactions = new TransactionsInFlight(store, clock, holdMs);
  return startJsonServer({
    host,
    port,
    longestBody: LONGEST_BODY_BYTES,
    perform: (target, request) => {
      const name = target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : '';
      if (name === 'TransactWriteItems') {
        return transactions.write(request as TransactWriteItemsCommandInput);
      }
      const operation = store.operations.get(name);
      if (operation === undefined) throw new UnsupportedRequest(`the operation ${target}`);
      return operation(request as never);
    },
    refuse,
  });
}

/** Status 400 keeps the client from retrying the request. */
function refuse(error: unknown): Answer {
  if (error instanceof AwsError) {
    const status = error.type === 'InternalFailure' ? 500 : 400;
    const { type, message, members } = error;
    return { status, body: { __type: type, message, Message: message, ...members } };
  }
  if (error instanceof UnsupportedRequest) {
    const message = `The tables in memory do not support ${error.message}. DynamoDB Local does: STORE=dynamodb-local npm start`;
    return { status: 400, body: { __type: error.name, message } };
  }
  return { status: 500, body: { __type: 'InternalFailure', message: String(error) } };
}
