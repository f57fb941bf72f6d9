import {
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { dieHere } from '../../local/stack/lambda-runtime.ts';
import type { RecordedEffect, WorldInterceptor } from './effect-log.ts';

/** What becomes of an effect that is struck. */
export type Fault = WorldInterceptor;

/** The process dies before the effect. */
export const dieBefore: Fault = () => dieHere();

/** The process dies right after the effect. */
export const dieAfter: Fault = async (_effect, proceed) => {
  await proceed();
  return dieHere();
};

/** The effect happens, and whoever asked for it never learns that. */
export const loseAnswer: Fault = async (effect, proceed) => {
  await proceed();
  throw lostConnection(effect);
};

/** Nothing comes of it, and no answer either: whoever asked waits until its own time is up. */
export const hang: Fault = () => new Promise(() => undefined);

/** DynamoDB has no capacity left for it; nothing of it is done. Other services are not struck. */
export const throttle: Fault = (effect, proceed) =>
  effect.kind === 'dynamodb'
    ? Promise.reject(
        new ProvisionedThroughputExceededException({ message: 'Throttled', $metadata: {} }),
      )
    : proceed();

/** Another transaction at the same item stands in the way of a write. Reads are not struck. */
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

/** Strikes one effect by its number; all others happen. */
export function strikeAt(n: number, fault: Fault): WorldInterceptor {
  return (effect, proceed) => (effect.n === n ? fault(effect, proceed) : proceed());
}

/** As `fetch` and the SDK report it when an answer does not come. */
function lostConnection({ kind }: RecordedEffect): Error {
  return kind === 'http'
    ? new TypeError('fetch failed')
    : Object.assign(new Error('The answer was lost'), { name: 'TimeoutError' });
}
