import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { HttpAnswer } from './call.ts';
import type { CallMiddleware } from './endpoint.ts';
import { requestPathOf } from './request-path.ts';

/** Has every link of an answer lead below the path at which the caller reaches the API. */
export function basePath(): CallMiddleware {
  const link: CallMiddleware['after'] = (request) => {
    if (!request.response) return;
    request.response = linkedBelow(basePathOf(request.event.event), request.response);
  };
  return { after: link, onError: link };
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
  return base.map((segment) => `/${segment}`).join('');
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
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

/** The members that hold a path: `href` of a link, and `order` of a problem about an order. */
const PATHS: readonly string[] = ['href', 'order'];

function linkedBody(base: string, body: string): string {
  return JSON.stringify(JSON.parse(body), (key, value: unknown) =>
    PATHS.includes(key) && typeof value === 'string' && value.startsWith('/')
      ? base + value
      : value,
  );
}
