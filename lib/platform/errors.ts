/**
 * Base of every error that a caller can act on. Step Functions matches `name` in Retry and Catch.
 * A network failure is *unknown*, never *no*.
 */
export abstract class DomainError extends Error {
  abstract override readonly name: string;
  /** Members of the problem document. */
  readonly details: Facts;
  /** Further members: paths of the API, which the document gives below the caller's base path. */
  readonly links: Readonly<Record<string, string>>;
  /** Pause before the caller's next try; undefined if waiting does not help. */
  readonly retryAfterSeconds: number | undefined;
  /** Facts for the log line alone: who was refused, and why. */
  readonly logged: Readonly<Record<string, string>>;

  constructor(message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.details = options.details ?? {};
    this.links = options.links ?? {};
    this.logged = options.logged ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds ?? this.refusal?.retryAfterSeconds;
  }

  /** Row of this error in its domain's table; undefined if no caller of the API can meet it. */
  get refusal(): Refusal | undefined {
    return undefined;
  }
}

/** Members that a problem document has of its own (RFC 9457): facts under these names would be lost. */
type Reserved = 'type' | 'title' | 'status' | 'detail' | 'instance' | 'code';

export type Facts = Readonly<Record<string, unknown>> & { readonly [name in Reserved]?: never };

export interface DomainErrorOptions {
  readonly cause?: unknown;
  readonly details?: Facts;
  readonly links?: Readonly<Record<string, string>>;
  /** Default: that of the refusal. */
  readonly retryAfterSeconds?: number | undefined;
  /** Never a token, key or signature. */
  readonly logged?: Readonly<Record<string, string>>;
}

/** One kind of problem, as callers of the API see it (RFC 9457). */
export interface ProblemType {
  /** Stable and upper-case; programs decide by it. */
  readonly code: string;
  readonly status: number;
  readonly title: string;
}

/** All facts of one kind of refusal. */
export interface Refusal extends ProblemType {
  /** Literal, because Step Functions matches it and bundles are minified. */
  readonly name: string;
  /** Next step for the caller, if the thrower knows nothing more specific. */
  readonly advice?: string;
  /** A refusal that has one holds only for the moment: it is not kept for an `Idempotency-Key`. */
  readonly retryAfterSeconds?: number;
  /** No later try can succeed. */
  readonly isFinal?: true;
  /** The same call may succeed if it is repeated. Default: true for 5xx. */
  readonly isTemporary?: true;
  /** Refuses a request because of an earlier one; counted by `DuplicateRefused`. */
  readonly isDuplicate?: true;
  /** Scheme in the `WWW-Authenticate` of a 401. Default: `Bearer`. */
  readonly authScheme?: string;
}

/** Class of one kind of refusal. */
export interface RefusalClass {
  readonly refusal: Refusal;
  new (message: string, options?: DomainErrorOptions): DomainError;
}

/**
 * Base class of one kind of refusal: `class NotFound extends refusal({ name: 'NotFound', … }) {}`.
 * Two classes share a code by spreading the row: `refusal({ ...NotFound.refusal, name: … })`.
 */
export function refusal<const Row extends Refusal>(row: Row) {
  return class extends DomainError {
    static readonly refusal: Row = row;
    override readonly name: Row['name'] = row.name;
    readonly code: Row['code'] = row.code;
    override get refusal(): Refusal {
      return row;
    }
  };
}

/** Repeating the call may help after an outage, a lost race, or an unknown failure. */
export function isTemporary(error: unknown): boolean {
  if (!(error instanceof DomainError)) return true;
  const { refusal } = error;
  return refusal !== undefined && (refusal.isTemporary ?? refusal.status >= 500);
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

export class BadRequest extends refusal({
  name: 'BadRequest',
  code: 'BAD_REQUEST',
  status: 400,
  title: 'The request is not well-formed',
}) {}

export class BodyTooLarge extends refusal({
  name: 'BodyTooLarge',
  code: 'BODY_TOO_LARGE',
  status: 400,
  title: 'The body is too large',
}) {}

export class Unauthenticated extends refusal({
  name: 'Unauthenticated',
  code: 'UNAUTHENTICATED',
  status: 401,
  title: 'A valid access token is needed',
}) {}

export class MissingScope extends refusal({
  name: 'MissingScope',
  code: 'MISSING_SCOPE',
  status: 403,
  title: 'The access token lacks a scope',
}) {}

export class NotFound extends refusal({
  name: 'NotFound',
  code: 'NOT_FOUND',
  status: 404,
  title: 'There is nothing here',
}) {}

export class IllegalTransition extends refusal({
  name: 'IllegalTransition',
  code: 'ILLEGAL_TRANSITION',
  status: 409,
  title: 'Not possible in the present status',
}) {}

export class RequestInProgress extends refusal({
  name: 'RequestInProgress',
  code: 'REQUEST_IN_PROGRESS',
  status: 409,
  title: 'The first request with this key still runs',
  advice: 'Wait for the answer of the first request, or ask again shortly.',
  retryAfterSeconds: 1,
  isDuplicate: true,
}) {}

/** A conditional write lost against another writer; read again and decide anew. */
export class ConcurrentUpdate extends refusal({
  name: 'ConcurrentUpdate',
  code: 'CONCURRENT_UPDATE',
  status: 409,
  title: 'Changed by someone else at the same moment',
  retryAfterSeconds: 1,
  isTemporary: true,
}) {}

/** `If-Match` names another version. */
export class PreconditionFailed extends refusal({
  name: 'PreconditionFailed',
  code: 'PRECONDITION_FAILED',
  status: 412,
  title: 'It has changed since it was read',
}) {}

export class IdempotencyConflict extends refusal({
  name: 'IdempotencyConflict',
  code: 'IDEMPOTENCY_CONFLICT',
  status: 422,
  title: 'The key was used for another request',
  advice: 'This Idempotency-Key was used for a request with another content; use a new key.',
  isDuplicate: true,
}) {}

/** A table, queue, parameter store or state machine did not answer, or failed. */
export class InfrastructureUnavailable extends refusal({
  name: 'InfrastructureUnavailable',
  code: 'TEMPORARILY_UNAVAILABLE',
  status: 503,
  title: 'Temporarily unavailable',
}) {}

/** The database gets more calls than it takes. It works: this is overload, no outage. */
export class DatabaseThrottled extends refusal({
  name: 'DatabaseThrottled',
  code: 'OVERLOADED',
  status: 503,
  title: 'Too much to do right now',
  advice: 'The database has too much to do right now; try again.',
  retryAfterSeconds: 1,
}) {}

/** True if the error says nothing about what was asked for. */
export function isInfrastructure(
  error: unknown,
): error is InfrastructureUnavailable | DatabaseThrottled {
  return error instanceof InfrastructureUnavailable || error instanceof DatabaseThrottled;
}

/** A queue holds a message that its consumer cannot read; no further try can change that. */
export class InvalidMessage extends DomainError {
  override readonly name = 'InvalidMessage';
}
