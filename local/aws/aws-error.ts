/** A refused request, as the service would answer it: the SDK makes its own error class of it. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  /** The error's name on the wire, such as `ConditionalCheckFailedException`. */
  readonly type: string;
  /** Further members of the answer, such as `CancellationReasons`. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(type: string, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.type = type;
    this.members = members;
  }
}

/**
 * A request asks for something that the in-memory service does not know how to do as AWS does it.
 * No answer would be right, so the caller is told what it is.
 */
export class UnsupportedRequest extends Error {
  override readonly name = 'UnsupportedRequest';
}

/** @throws UnsupportedRequest unless every member that is set is one of those that are understood. */
export function onlyKnown<Request extends object>(
  operation: string,
  request: Request,
  known: readonly (keyof Request & string)[],
): void {
  for (const [member, value] of Object.entries(request)) {
    if (value !== undefined && !(known as readonly string[]).includes(member)) {
      throw new UnsupportedRequest(`${operation} with ${member}`);
    }
  }
}
