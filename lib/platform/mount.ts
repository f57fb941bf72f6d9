import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { StoredAnswer } from './idempotency.ts';

/** The path as the caller sent it: below the stage (`/prod/order`), or below a custom domain's mapping. */
export function requestPathOf({ requestContext, path }: APIGatewayProxyEvent): string {
  // A test invocation may come without either.
  const context = requestContext as Partial<typeof requestContext> | undefined;
  return context?.path ?? path;
}

/**
 * What stands in the caller's path before that of the route: `/prod` at API Gateway's own address,
 * `/shop` where a custom domain maps that to this API, mostly nothing there. Counted from the end by
 * the route's segments, so that it does not matter how what fills them is encoded.
 */
export function mountOf(event: APIGatewayProxyEvent): string {
  const resource = event.resource as string | undefined;
  if (resource === undefined || resource.includes('+}')) return '';
  const path = segmentsOf(requestPathOf(event));
  const mount = path.slice(0, Math.max(0, path.length - segmentsOf(resource).length));
  return mount.map((segment) => `/${segment}`).join('');
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** The answer with its links (`Location`, and every path in a JSON body) as the caller can follow them. */
export function linkedBelow(mount: string, answer: StoredAnswer): StoredAnswer {
  if (mount === '') return answer;
  const { Location: location, ...headers } = answer.headers;
  return {
    ...answer,
    headers: { ...headers, ...(location === undefined ? {} : { Location: mount + location }) },
    body: isJson(answer) ? linkedBody(mount, answer.body) : answer.body,
  };
}

function isJson({ headers }: StoredAnswer): boolean {
  return headers['Content-Type']?.endsWith('json') === true;
}

/** The members that hold a path: `href` of a link, and `order` of a problem about an order. */
const PATHS: readonly string[] = ['href', 'order'];

function linkedBody(mount: string, body: string): string {
  return JSON.stringify(JSON.parse(body), (key, value: unknown) =>
    PATHS.includes(key) && typeof value === 'string' && value.startsWith('/')
      ? mount + value
      : value,
  );
}
