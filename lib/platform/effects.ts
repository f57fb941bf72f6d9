/**
 * One call of a handler to the outside world. All of them pass one interceptor, so that a host can
 * observe, delay or fail each.
 */
export interface Effect {
  readonly kind: 'dynamodb' | 'sqs' | 'states' | 'ssm' | 'http';
  /** The SDK operation (`PutItem`, `SendMessage`, `StartExecution`, …) or the HTTP method. */
  readonly operation: string;
  /** Table, queue, state machine, parameter or URL; empty if the operation names none. */
  readonly target: string;
}

export type Interceptor = <Result>(
  effect: Effect,
  proceed: () => Promise<Result>,
) => Promise<Result>;

export const passThrough: Interceptor = (_effect, proceed) => proceed();
