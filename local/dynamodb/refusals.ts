import { AwsError } from '../aws/aws-error.ts';

/**
 * A refusal that belongs to one item. A transaction returns it as that item's cancellation reason. Any other
 * AwsError refuses the whole request.
 */
export class ItemRefusal extends AwsError {
  /** Code in a transaction's cancellation reasons, such as `ConditionalCheckFailed`. */
  readonly reasonCode: string;

  constructor(
    type: string,
    reasonCode: string,
    message: string,
    members: Readonly<Record<string, unknown>> = {},
  ) {
    super(type, message, members);
    this.reasonCode = reasonCode;
  }
}

/** Error that refuses the whole request. */
export function invalidRequest(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/** Error that refuses one item. */
export function invalidItem(message: string): ItemRefusal {
  return new ItemRefusal('ValidationException', 'ValidationError', message);
}

/** @param members the item that failed its condition, if the request asks for it. */
export function conditionFailed(members: Readonly<Record<string, unknown>>): ItemRefusal {
  return new ItemRefusal(
    'ConditionalCheckFailedException',
    'ConditionalCheckFailed',
    'The conditional request failed',
    members,
  );
}

/** Another transaction holds the item. */
export function transactionConflict(): ItemRefusal {
  return new ItemRefusal(
    'TransactionConflictException',
    'TransactionConflict',
    'Transaction is ongoing for the item',
  );
}

/** The item has used up its write units of this second. */
export function throttled(): ItemRefusal {
  return new ItemRefusal(
    'ProvisionedThroughputExceededException',
    'ThrottlingError',
    'Throughput exceeds the current capacity of your table or index.',
  );
}
