/**
 * The one error family. `name` is what Step Functions matches in Retry and Catch, `code` is what
 * callers of the API see. A network failure is *unknown*, never *no*.
 */
export abstract class DomainError extends Error {
  abstract override readonly name: string;
  abstract readonly code: string;
  /** Facts that belong into the problem document (order id, links, …). */
  readonly details: Facts;
  /** How long a caller should wait before it tries again, where waiting helps. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.details = options.details ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Members that a problem document has of its own (RFC 9457): facts under these names would be lost. */
type Reserved = 'type' | 'title' | 'status' | 'detail' | 'instance' | 'code';

export type Facts = Readonly<Record<string, unknown>> & { readonly [name in Reserved]?: never };

export interface DomainErrorOptions {
  readonly cause?: unknown;
  readonly details?: Facts;
  readonly retryAfterSeconds?: number | undefined;
}

/**
 * Stored facts that no write can have led to: a defect. It is no DomainError, and no Retry or Catch of
 * the state machine names it: only `States.ALL` sees it, so no step repeats without end.
 */
export class ImpossibleState extends Error {
  override readonly name = 'ImpossibleState';
}

/**
 * Ends every switch over a union: a new member becomes a compile error.
 * @throws ImpossibleState
 */
export function assertNever(value: never): never {
  // Only its status: the whole of it may hold secrets, which must never reach a log.
  const { status } = value as { readonly status?: string };
  throw new ImpossibleState(`Unexpected value: ${status ?? typeof value}`);
}

export class BadRequest extends DomainError {
  override readonly name = 'BadRequest';
  readonly code = 'BAD_REQUEST';
}

export class BodyTooLarge extends DomainError {
  override readonly name = 'BodyTooLarge';
  readonly code = 'BODY_TOO_LARGE';
}

export class Unauthenticated extends DomainError {
  override readonly name = 'Unauthenticated';
  readonly code = 'UNAUTHENTICATED';
}

export class MissingScope extends DomainError {
  override readonly name = 'MissingScope';
  readonly code = 'MISSING_SCOPE';
}

export class NotFound extends DomainError {
  override readonly name = 'NotFound';
  readonly code = 'NOT_FOUND';
}

export class IllegalTransition extends DomainError {
  override readonly name = 'IllegalTransition';
  readonly code = 'ILLEGAL_TRANSITION';
}

export class IdempotencyConflict extends DomainError {
  override readonly name = 'IdempotencyConflict';
  readonly code = 'IDEMPOTENCY_CONFLICT';
}

export class RequestInProgress extends DomainError {
  override readonly name = 'RequestInProgress';
  readonly code = 'REQUEST_IN_PROGRESS';
}

/** The table, the queue or the state machine service did not answer, throttled, or failed: try again. */
export class InfrastructureUnavailable extends DomainError {
  override readonly name = 'InfrastructureUnavailable';
  readonly code = 'TEMPORARILY_UNAVAILABLE';
}

/** A queue holds something that its consumer cannot read; no further try can change that. */
export class InvalidMessage extends DomainError {
  override readonly name = 'InvalidMessage';
  readonly code = 'INVALID_MESSAGE';
}

/** A conditional write lost against another writer; read again and decide anew. */
export class ConcurrentUpdate extends DomainError {
  override readonly name = 'ConcurrentUpdate';
  readonly code = 'CONCURRENT_UPDATE';
  constructor(message: string, options: DomainErrorOptions = {}) {
    super(message, { retryAfterSeconds: 1, ...options });
  }
}
