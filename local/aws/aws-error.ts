/** A refused request. The SDK makes its own error class of the answer. */
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
 * Thrown if a request asks for something that the in-memory service cannot do as AWS does it. Any answer would be
 * wrong, so the message names the unsupported part.
 */
export class UnsupportedRequest extends Error {
  override readonly name = 'UnsupportedRequest';
}

/** @throws UnsupportedRequest if a member is set that the service does not understand. */
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
