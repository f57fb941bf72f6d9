import { DomainError } from '../errors.ts';
import { loggerFor } from '../lambda/logging.ts';
import type { Call, HttpAnswer } from './endpoint.ts';
import { problemOf } from './problems.ts';

/** Default of Retry-After for outages. */
const OUTAGE_RETRY_AFTER_SECONDS = 1;
/** Facts of an error that is not a DomainError. */
const NO_FACTS: Partial<Pick<DomainError, 'refusal' | 'retryAfterSeconds'>> = {};

/** The answer to an error: a problem document (RFC 9457). Logs the error if the service is at fault. */
export function problemAnswer(error: unknown, call: Call): HttpAnswer {
  const document = problemOf(error, call.instance, call.basePath);
  const { code, status } = document;
  if (status >= 500) {
    const about = { correlationId: call.correlationId, route: call.route };
    loggerFor(about).error('Request failed', { code, error: error as Error });
  }
  const { refusal, retryAfterSeconds = status === 503 ? OUTAGE_RETRY_AFTER_SECONDS : undefined } =
    error instanceof DomainError ? error : NO_FACTS;
  return {
    statusCode: status,
    body: JSON.stringify(document),
    headers: {
      'Content-Type': 'application/problem+json',
      ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
      ...(status === 401 ? { 'WWW-Authenticate': refusal?.authScheme ?? 'Bearer' } : {}),
    },
  };
}
