import {
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { dieHere } from '../../local/stack/lambda-runtime.ts';
import type { RecordedEffect, WorldInterceptor } from './effect-log.ts';

/** Replaces an effect that is struck. */
export type Fault = WorldInterceptor;

/** The process dies before the effect. */
export const dieBefore: Fault = () => dieHere();

/** The process dies right after the effect. */
export const dieAfter: Fault = async (_effect, proceed) => {
  await proceed();
  return dieHere();
};

/** The effect happens, but its answer is lost. */
export const loseAnswer: Fault = async (effect, proceed) => {
  await proceed();
  throw lostConnection(effect);
};

/** The effect does not happen and no answer comes, so the caller runs into its time-out. */
export const hang: Fault = () => new Promise(() => undefined);

/** DynamoDB throttles the request and does nothing. Other services are unaffected. */
export const throttle: Fault = (effect, proceed) =>
  effect.kind === 'dynamodb'
    ? Promise.reject(
        new ProvisionedThroughputExceededException({ message: 'Throttled', $metadata: {} }),
      )
    : proceed();

/** A transaction on the same item makes a write fail. Reads are unaffected. */
export const conflict: Fault = (effect, proceed) => {
  const refused = { message: 'Transaction conflict', $metadata: {} };
  switch (effect.operation) {
    case 'TransactWriteItems': {
      const CancellationReasons = [{ Code: 'TransactionConflict' }, { Code: 'None' }];
      return Promise.reject(new TransactionCanceledException({ ...refused, CancellationReasons }));
    }
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return Promise.reject(new TransactionConflictException(refused));
    default:
      return proceed();
  }
};

/** Applies a fault to one effect by its number; all others happen. */
export function strikeAt(n: number, fault: Fault): WorldInterceptor {
  return (effect, proceed) => (effect.n === n ? fault(effect, proceed) : proceed());
}

/** The error that `fetch` and the SDK report if no answer comes. */
function lostConnection({ kind }: RecordedEffect): Error {
  return kind === 'http'
    ? new TypeError('fetch failed')
    : Object.assign(new Error('The answer was lost'), { name: 'TimeoutError' });
}
