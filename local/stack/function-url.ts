import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import type { HttpResponse } from './gateway-responses.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';
import { Throttled } from './lambda-runtime.ts';
import type { Request } from './rest-api.ts';

type Invoke = (event: LambdaFunctionURLEvent) => Promise<unknown>;

/** Limit of a function URL. */
const MAX_BODY_BYTES = 6 * 1024 * 1024;

/** Serves a function's URL over HTTP. */
export function startFunctionUrl(
  { host, port }: { readonly host: string; readonly port: number },
  invoke: Invoke,
): Promise<HttpServer> {
  const respond = (request: Request) => respondAtFunctionUrl(request, invoke);
  return startHttpServer({ host, port, maxBodyBytes: MAX_BODY_BYTES, respond });
}

/**
 * Answers as a function URL with IAM authentication does, without the network. It asks for a signature, but knows
 * no secret keys to verify it with.
 */
export async function respondAtFunctionUrl(
  request: Request,
  invoke: Invoke,
): Promise<HttpResponse> {
  if (request.body === undefined) return ownAnswer(413, 'Request Entity Too Large');
  const event = eventOf(request, request.body);
  if (event.headers['authorization']?.startsWith('AWS4-HMAC-SHA256 ') !== true) {
    return ownAnswer(403, 'Forbidden');
  }
  try {
    const result = (await invoke(event)) as LambdaFunctionURLResult;
    if (typeof result !== 'object' || result.statusCode === undefined) {
      throw new TypeError(`A function answered ${JSON.stringify(result)}.`);
    }
    const { statusCode, headers = {}, body = '' } = result;
    const sent = Object.entries(headers).map(([name, value]) => [name, String(value)]);
    return { statusCode, headers: Object.fromEntries(sent) as Record<string, string>, body };
  } catch (error) {
    if (error instanceof Throttled) return ownAnswer(429, error.message);
    // Lambda's log has the failed invocation.
    return ownAnswer(502, 'Internal Server Error');
  }
}

function ownAnswer(statusCode: number, message: string): HttpResponse {
  const body = JSON.stringify({ Message: message });
  return { statusCode, headers: { 'Content-Type': 'application/json' }, body };
}

/** Payload format 2.0. */
function eventOf(
  { requestId, method, url, headers, sourceIp }: Request,
  body: string,
): LambdaFunctionURLEvent {
  const [rawPath = '/', rawQueryString = ''] = url.split(/\?(.*)/s);
  const query = joined([...new URLSearchParams(rawQueryString)]);
  const named = joined(headers.map(([name, value]) => [name.toLowerCase(), value]));
  const nowMs = Date.now();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: named,
    ...(rawQueryString === '' ? {} : { queryStringParameters: query }),
    ...(body === '' ? {} : { body }),
    isBase64Encoded: false,
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: named['host'] ?? '',
      domainPrefix: 'local',
      http: {
        method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp,
        userAgent: named['user-agent'] ?? '',
      },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: new Date(nowMs).toUTCString(),
      timeEpoch: nowMs,
    },
  };
}

/** Values of the same name, with commas between them. */
function joined(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const byName = Map.groupBy(pairs, ([name]) => name);
  return Object.fromEntries(
    [...byName].map(([name, group]) => [name, group.map(([, value]) => value).join(',')]),
  );
}
