import type { APIGatewayProxyEvent } from 'aws-lambda';
import { environment } from '../environment.ts';
import { installedRuntime } from '../lambda/installed-runtime.ts';
import { type Call, type HttpAnswer, requestPathOf } from './call.ts';
import { corsHeaders } from './cors.ts';

/**
 * Completes every answer, problems included: its correlation id, links below the caller's base path, and headers
 * that tell browsers and caches how to treat it. They never guess its type, never store it unless the route says
 * so, and let pages of allowed origins read it.
 * @param isForPages false for routes that only other services call.
 */
export function finishAnswer(call: Call, answer: HttpAnswer, isForPages: boolean): HttpAnswer {
  const { statusCode, headers, body } = linkedBelow(basePathOf(call.event), answer);
  return {
    statusCode,
    headers: {
      'Cache-Control': headers['ETag'] === undefined ? 'no-store' : 'private, no-cache',
      'X-Content-Type-Options': 'nosniff',
      ...(isForPages ? corsHeaders(call.header('origin'), allowedOrigins()) : {}),
      ...headers,
      'X-Correlation-Id': call.correlationId,
    },
    body,
  };
}

/**
 * Origins whose pages may call the API; none by default. Functions without configuration, such as liveness, read
 * the variable itself: parsing all settings would be most of their start. Packaging has checked it.
 */
export function allowedOrigins(): readonly string[] {
  const list = installedRuntime()?.config.ALLOWED_ORIGINS ?? environment['ALLOWED_ORIGINS'] ?? '';
  return list === '' ? [] : list.split(',').map((origin) => origin.trim());
}

/**
 * The part of the caller's path before that of the route: `/prod` at API Gateway's own address,
 * `/shop` if a custom domain maps `/shop` to this API, mostly nothing. Counted from the end by the
 * route's segments, so that the encoding of their values does not matter.
 */
export function basePathOf(event: APIGatewayProxyEvent): string {
  const resource = event.resource as string | undefined;
  if (resource === undefined || resource.includes('+}')) return '';
  const path = segmentsOf(requestPathOf(event));
  const base = path.slice(0, Math.max(0, path.length - segmentsOf(resource).length));
  return base.length === 0 ? '' : `/${base.join('/')}`;
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter(Boolean);
}

/** The answer with its links (`Location`, and every path in a JSON body) as the caller can follow them. */
export function linkedBelow(base: string, answer: HttpAnswer): HttpAnswer {
  if (base === '') return answer;
  const { Location: location, ...headers } = answer.headers;
  return {
    ...answer,
    headers: { ...headers, ...(location === undefined ? {} : { Location: base + location }) },
    body: isJson(answer) ? linkedBody(base, answer.body) : answer.body,
  };
}

function isJson({ headers }: HttpAnswer): boolean {
  return headers['Content-Type']?.endsWith('json') === true;
}

/** Members that hold a path: `href` of a link, and `order` of a problem about an order. */
const PATHS: readonly string[] = ['href', 'order'];

function linkedBody(base: string, body: string): string {
  return JSON.stringify(JSON.parse(body), (key, value: unknown) =>
    PATHS.includes(key) && typeof value === 'string' && value.startsWith('/')
      ? base + value
      : value,
  );
}
