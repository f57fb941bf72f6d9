import { DomainError, type Facts, type ProblemType } from '../errors.ts';

/** Advice after an answer that leaves the effect of a request unknown. */
export const SEND_AGAIN =
  'Send the same request with the same Idempotency-Key again; nothing is done twice.';

/** Answer to an error that the API does not explain: a defect, or a failure nobody translated. */
export const INTERNAL_ERROR = {
  code: 'INTERNAL_ERROR',
  status: 500,
  title: 'Something went wrong',
  advice: `${SEND_AGAIN} If it persists, report the X-Correlation-Id.`,
} as const satisfies ProblemType & { readonly advice: string };

/** Detail for a path or method that the API does not have. */
export const NO_SUCH_CALL = 'No such path or method; see /docs for those there are.';

/** Problem document (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly [extension: string]: unknown;
}

/** @param detail tells the caller the next step. */
export function problem(
  { code, status, title }: ProblemType,
  detail: string,
  instance: string,
  extensions: Facts = {},
): Problem {
  return { ...extensions, type: problemType(code), title, status, detail, instance, code };
}

/** URN that names the kind of problem. */
export function problemType(code: string): string {
  return `urn:ordersaga:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}

/** Describes a refusal as it is, and any other error as a 500 that reveals nothing. */
export function problemOf(error: unknown, instance: string, basePath = ''): Problem {
  if (!(error instanceof DomainError) || error.refusal === undefined) {
    return problem(INTERNAL_ERROR, INTERNAL_ERROR.advice, instance);
  }
  const links = Object.entries(error.links).map(([name, path]) => [name, basePath + path]);
  const members = { ...error.details, ...(Object.fromEntries(links) as Facts) };
  return problem(error.refusal, error.message, instance, members);
}
