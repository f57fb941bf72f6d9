import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { z } from 'zod';
import {
  type ApiRequest,
  apiHandler,
  forEveryone,
} from '../../../../../lib/platform/http/api-handler.ts';
import type { ApiResponse, Endpoint } from '../../../../../lib/platform/http/endpoint.ts';
import { installTestRuntime, startTestIssuer, type TestIssuer } from '../test-issuer.ts';

type Seen = ApiRequest<unknown, unknown, string>;
type Sent = Partial<
  Omit<APIGatewayProxyEvent, 'headers'> & { headers: Record<string, string> | null }
>;

/** The issuer that the handlers trust. */
export let issuer: TestIssuer;
/** The last request that reached the use case. */
export let seen: Seen | undefined;

/** Gives every test of a file an issuer and a runtime. */
export function prepare(): void {
  beforeAll(async () => {
    issuer = await startTestIssuer();
  });
  afterAll(() => issuer.stop());
  beforeEach(() => {
    seen = undefined;
    installTestRuntime(issuer);
  });
}

const OK: ApiResponse = { status: 200, body: { fine: true } };

/** Calls a handler in process, as API Gateway would; `seen` is the request in the use case. */
export async function call(
  sent: Sent,
  declared: Partial<Endpoint> = {},
  respond: () => Promise<ApiResponse> = () => Promise.resolve(OK),
) {
  const handler = apiHandler<z.ZodType, z.ZodType, string>(
    { route: 'POST /order', access: forEveryone, ...declared },
    (request) => {
      seen = request;
      return respond();
    },
  );
  const event = {
    path: '/order',
    httpMethod: 'POST',
    headers: {},
    pathParameters: null,
    queryStringParameters: null,
    body: null,
    isBase64Encoded: false,
    ...sent,
  };
  const result = await handler(event as unknown as APIGatewayProxyEvent, {} as Context);
  return {
    status: result.statusCode,
    headers: result.headers,
    body: (result.body === '' ? {} : JSON.parse(result.body)) as Record<string, unknown>,
    text: result.body,
  };
}
