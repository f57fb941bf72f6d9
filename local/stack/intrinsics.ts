/** Attributes that CloudFormation would know of the stack's resources. */
export interface IntrinsicValues {
  /** Values of `Ref`: a table's name, a queue's URL, and the pseudo parameters (`AWS::Region`). */
  readonly references: Readonly<Record<string, string>>;
  /** Values of `Fn::GetAtt`, by `<logical id>.<attribute>`. */
  readonly attributes: Readonly<Record<string, string>>;
}

export class UnknownIntrinsicError extends Error {
  override readonly name = 'UnknownIntrinsicError';

  constructor(subject: string) {
    super(`serverless.yml refers to ${subject}, which the embedded stack does not have.`);
  }
}

/** Pseudo parameters of a stack in this region and account. */
export function pseudoParameters(region: string, accountId: string): Record<string, string> {
  return {
    'AWS::Region': region,
    'AWS::AccountId': accountId,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
  };
}

/**
 * Replaces `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join` anywhere in a template by their values.
 * @throws UnknownIntrinsicError for an unknown resource, attribute or function.
 */
export function resolveIntrinsics(template: unknown, values: IntrinsicValues): unknown {
  if (Array.isArray(template)) return template.map((part) => resolveIntrinsics(part, values));
  if (!isRecord(template)) return template;

  const [[name, argument] = ['', undefined], ...rest] = Object.entries(template);
  if (rest.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) {
    return resolveFunction(name, argument, values);
  }
  return Object.fromEntries(
    Object.entries(template).map(([key, part]) => [key, resolveIntrinsics(part, values)]),
  );
}

function resolveFunction(name: string, argument: unknown, values: IntrinsicValues): string {
  switch (name) {
    case 'Ref':
      return lookUp(values.references, asString(argument, name));
    case 'Fn::GetAtt':
      return lookUp(
        values.attributes,
        typeof argument === 'string' ? argument : asStrings(argument, name).join('.'),
      );
    case 'Fn::Sub':
      return asString(argument, name).replaceAll(/\$\{([^}]+)\}/g, (_match, subject: string) =>
        lookUp(subject.includes('.') ? values.attributes : values.references, subject),
      );
    case 'Fn::Join': {
      const [separator, parts] = Array.isArray(argument) ? (argument as readonly unknown[]) : [];
      const resolved = asStrings(resolveIntrinsics(parts, values), name);
      return resolved.join(asString(separator, name));
    }
    default:
      throw new UnknownIntrinsicError(name);
  }
}

function lookUp(values: Readonly<Record<string, string>>, subject: string): string {
  const value = values[subject];
  if (value === undefined) throw new UnknownIntrinsicError(subject);
  return value;
}

function asString(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new UnknownIntrinsicError(describe(name, value));
  return value;
}

function asStrings(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value)) throw new UnknownIntrinsicError(describe(name, value));
  return value.map((part) => asString(part, name));
}

function describe(name: string, value: unknown): string {
  return `${name} ${JSON.stringify(value)}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
