import {
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import {
  conditionalWrite,
  ImpossibleRequest,
  throwUnavailable,
} from '../../../../../lib/platform/dynamo/items.ts';
import {
  DatabaseThrottled,
  InfrastructureUnavailable,
  isTemporary,
} from '../../../../../lib/platform/errors.ts';

function thrownFor(cause: unknown): unknown {
  try {
    return throwUnavailable(cause);
  } catch (error) {
    return error;
  }
}

const named = (name: string) => Object.assign(new Error('as the database says'), { name });
const cancelledFor = (...codes: readonly string[]) =>
  new TransactionCanceledException({
    message: 'cancelled',
    $metadata: {},
    CancellationReasons: codes.map((Code) => ({ Code })),
  });

describe('a failure of the database', () => {
  test.each([
    ['ValidationException', named('ValidationException')],
    ['SerializationException', named('SerializationException')],
    ['a transaction of an impossible item', cancelledFor('None', 'ValidationError')],
  ])('that is about the request is a defect: %s', async (_what, cause) => {
    expect(thrownFor(cause)).toBeInstanceOf(ImpossibleRequest);
    expect(thrownFor(cause)).toHaveProperty('cause', cause);
    await expect(conditionalWrite(Promise.reject(cause))).rejects.toBeInstanceOf(ImpossibleRequest);
  });

  test.each([
    ['a time-out', named('TimeoutError')],
    ['an error of its own', named('InternalServerError')],
    ['no error at all', undefined],
  ])('that can heal is temporary: %s', (_what, cause) => {
    const error = thrownFor(cause);
    expect(error).toBeInstanceOf(InfrastructureUnavailable);
    expect(isTemporary(error)).toBe(true);
  });

  test.each([
    ['a table', new ProvisionedThroughputExceededException({ message: '', $metadata: {} })],
    ['an account', named('ThrottlingException')],
    ['an account, by an older name', named('RequestLimitExceeded')],
    ['an item of a transaction', cancelledFor('None', 'ThrottlingError')],
    ['a table of a transaction', cancelledFor('ProvisionedThroughputExceeded', 'None')],
  ])('that is overload says so: %s', async (_what, cause) => {
    const error = thrownFor(cause);
    expect(error).toBeInstanceOf(DatabaseThrottled);
    expect(isTemporary(error)).toBe(true);
    await expect(conditionalWrite(Promise.reject(cause))).rejects.toBeInstanceOf(DatabaseThrottled);
  });
});
