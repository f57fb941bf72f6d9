/**
 * Everything a handler does to the outside world passes one interceptor, so that any two
 * side effects can be observed, counted, delayed or cut apart.
 */
export interface Effect {
  readonly kind: 'dynamodb' | 'sqs' | 'states' | 'ssm' | 'http';
  /** The SDK operation (`PutItem`, `SendMessage`, `StartExecution`, …) or the HTTP method. */
  readonly operation: string;
  /** The table, queue, state machine, parameter or URL it is aimed at; empty where the operation names none. */
  readonly target: string;
}

export type Interceptor = <Result>(
  effect: Effect,
  proceed: () => Promise<Result>,
) => Promise<Result>;

export const passThrough: Interceptor = (_effect, proceed) => proceed();
