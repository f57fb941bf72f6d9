import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestListener,
  ServerResponse,
} from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import { assertNever } from '../../lib/platform/errors.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** One request as a route sees it: path parameters decoded and the body parsed as JSON. */
export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** `undefined` if the request has no body. */
  readonly body: unknown;
}

export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'page'; readonly html: string }
  /** Closes the connection without an answer, as if the network had failed. */
  | { readonly kind: 'cut' };

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Segments that start with a colon are parameters: `/gateway/charges/:paymentId`. */
  readonly path: string;
  /** One line for the index at `/`. */
  readonly summary: string;
  handle(call: Call): Reply | Promise<Reply>;
}

/** An error answer, sent as `application/problem+json` (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly code: string;
  readonly headers: OutgoingHttpHeaders;

  /** @param detail tells the caller what to do next. */
  constructor(status: number, code: string, detail: string, headers: OutgoingHttpHeaders = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** A 200 with a JSON body. */
export function ok(body: unknown): Reply {
  return { kind: 'json', status: 200, body };
}

/**
 * Checks input against its schema.
 * @throws ProblemError 400 `BAD_REQUEST` that names every invalid field; `part` names the input if no single
 * field is invalid.
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  part: string,
): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const faults = result.error.issues.map(
    (issue) => `${issue.path.length > 0 ? issue.path.join('.') : part}: ${issue.message}`,
  );
  throw new ProblemError(400, 'BAD_REQUEST', faults.join('; '));
}

/** A request that has arrived completely. */
interface WholeRequest {
  readonly method: string | undefined;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly content: string;
}

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly content: string;
}

/** Answers a request with a problem, without reading the rest of the request. */
export function refuse(
  { url = '/' }: IncomingMessage,
  response: ServerResponse,
  problem: ProblemError,
): void {
  send(response, problemAnswer(url.split('?')[0] ?? '/', problem));
}

/** Serves the routes. A wrong path, method or body is answered with a problem. */
export function serve(routes: readonly Route[]): RequestListener {
  return (request, response) => {
    void serveOne(routes, request, response);
  };
}

/** Answer of the matching route; `CUT` if the server is to close the connection without an answer. */
export async function answer(
  routes: readonly Route[],
  { method, url, headers, content }: WholeRequest,
): Promise<Answer | 'CUT'> {
  const [path = '/', query = ''] = url.split(/\?(.*)/s);
  try {
    const { route, params } = findRoute(routes, method, path);
    const reply = await route.handle({
      params,
      query: Object.fromEntries(new URLSearchParams(query)),
      headers,
      body: parseJson(content),
    });
    return answerOf(reply);
  } catch (error) {
    return problemAnswer(path, asProblem(error));
  }
}

async function serveOne(
  routes: readonly Route[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method, url = '/', headers } = request;
  try {
    // Reads the body first: an answer sent to a caller that is still sending would reach it as a broken pipe.
    const content = await readBody(request);
    send(response, await answer(routes, { method, url, headers, content }));
  } catch (error) {
    const callerLeft = !request.complete;
    if (callerLeft) return;
    send(response, problemAnswer(url.split('?')[0] ?? '/', asProblem(error)));
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Reads a body over the limit to its end without keeping it, so that the caller sees the 413.
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) {
    throw new ProblemError(
      413,
      'BODY_TOO_LARGE',
      `Send a body of at most ${String(MAX_BODY_BYTES)} bytes.`,
    );
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(content: string): unknown {
  if (content === '') return undefined;
  try {
    return JSON.parse(content) as unknown;
  } catch {
    throw new ProblemError(400, 'BAD_REQUEST', 'The body is not JSON. Send a JSON object.');
  }
}

function findRoute(
  routes: readonly Route[],
  method: string | undefined,
  path: string,
): { route: Route; params: Record<string, string> } {
  const allowed: string[] = [];
  for (const route of routes) {
    const params = matchPath(route.path, path);
    if (params === undefined) continue;
    if (route.method === method) return { route, params };
    allowed.push(route.method);
  }
  if (allowed.length === 0) {
    throw new ProblemError(404, 'NOT_FOUND', 'Nothing is here. GET / lists what is.');
  }
  const allow = allowed.join(', ');
  throw new ProblemError(405, 'METHOD_NOT_ALLOWED', `Use ${allow} here.`, { allow });
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const expected = pattern.split('/');
  const actual = path.split('/');
  if (expected.length !== actual.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, segment] of expected.entries()) {
    const value = actual[index] ?? '';
    if (segment.startsWith(':')) params[segment.slice(1)] = decodeSegment(value);
    else if (segment !== value) return undefined;
  }
  return params;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ProblemError(400, 'BAD_REQUEST', 'The path is not percent-encoded UTF-8.');
  }
}

function send(response: ServerResponse, answered: Answer | 'CUT'): void {
  if (answered === 'CUT') {
    response.destroy();
    return;
  }
  response.writeHead(answered.status, answered.headers).end(answered.content);
}

function answerOf(reply: Reply): Answer | 'CUT' {
  switch (reply.kind) {
    case 'json':
      return {
        status: reply.status,
        headers: { 'content-type': 'application/json' },
        content: JSON.stringify(reply.body),
      };
    case 'page':
      return {
        status: 200,
        headers: {
          'content-type': 'text/html; charset=utf-8',
          // The page loads nothing and runs no script.
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        },
        content: reply.html,
      };
    case 'cut':
      return 'CUT';
    default:
      return assertNever(reply);
  }
}

function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  console.error(error);
  return new ProblemError(500, 'INTERNAL_ERROR', 'The companion failed; its own output says how.');
}

function problemAnswer(instance: string, problem: ProblemError): Answer {
  return {
    status: problem.status,
    headers: { ...problem.headers, 'content-type': 'application/problem+json' },
    content: JSON.stringify({
      type: 'about:blank',
      title: STATUS_CODES[problem.status],
      status: problem.status,
      detail: problem.message,
      instance,
      code: problem.code,
    }),
  };
}
