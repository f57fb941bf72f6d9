import { UnsupportedRequest } from '../aws/aws-error.ts';

const TOKEN = /\s*(<=|>=|<>|[=<>(),]|[#:]?\w+)/y;

/** Words and signs of an expression, read from left to right. */
export class Tokens {
  readonly #expression: string;
  readonly #tokens: readonly string[];
  #position = 0;

  constructor(expression: string) {
    this.#expression = expression;
    this.#tokens = split(expression.trimEnd());
  }

  get isAtEnd(): boolean {
    return this.#position === this.#tokens.length;
  }

  next(): string {
    const token = this.#tokens[this.#position];
    if (token === undefined) throw this.unknown();
    this.#position += 1;
    return token;
  }

  /** Takes the next token if it is this one; the case of words does not matter. */
  take(token: string): boolean {
    if (this.#tokens[this.#position]?.toUpperCase() !== token) return false;
    this.#position += 1;
    return true;
  }

  /** True if this is the next token. */
  isNext(token: string): boolean {
    return this.#tokens[this.#position] === token;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.unknown();
  }

  unknown(): UnsupportedRequest {
    return new UnsupportedRequest(`the expression ${this.#expression}`);
  }
}

function split(expression: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const token = TOKEN.exec(expression)?.[1];
    if (token === undefined) throw new UnsupportedRequest(`the expression ${expression}`);
    tokens.push(token);
  }
  return tokens;
}

/** Caches the parsed form of each expression: there are few expressions, and they recur. */
export function parsedOnce<Parsed>(
  parse: (tokens: Tokens) => Parsed,
): (expression: string) => Parsed {
  const parsed = new Map<string, Parsed>();
  return (expression) => {
    let result = parsed.get(expression);
    if (result === undefined) {
      const tokens = new Tokens(expression);
      result = parse(tokens);
      if (!tokens.isAtEnd) throw tokens.unknown();
      parsed.set(expression, result);
    }
    return result;
  };
}
