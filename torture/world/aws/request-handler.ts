import type { RequestHandler } from '../../../lib/platform/aws/aws-access.ts';
import { AwsError, UnsupportedRequest } from '../../../local/aws/aws-error.ts';
import { StepFunctionsError } from '../../../local/step-functions/errors.ts';

/** Maps a request's body to a response's; throws AwsError for what the service refuses. */
export type Operation = (request: never) => object;

/** Operations of each service, by its prefix in X-Amz-Target, such as `DynamoDB_20120810`. */
export type Services = Readonly<Record<string, ReadonlyMap<string, Operation>>>;

/** Fields of the SDK's HTTP messages that are used here; the SDK's own types are classes. */
interface SdkRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface RequestHandlerOptions {
  readonly services: Services;
  /** Runs a function outside the caller's async context. */
  readonly detached: <Result>(work: () => Result) => Result;
  /** Receives errors of the world itself; the request fails too. */
  readonly onDefect: (error: unknown) => void;
}

/**
 * Answers the SDK's requests in this process, in place of HTTP. The clients for DynamoDB, SQS and Step
 * Functions speak JSON 1.0.
 */
export function inMemoryRequestHandler({
  services,
  detached,
  onDefect,
}: RequestHandlerOptions): RequestHandler {
  const respond = ({ headers, body }: SdkRequest) => {
    try {
      const answered = detached(() => perform(services, headers['x-amz-target'] ?? '', body));
      return answer(200, answered);
    } catch (error) {
      if (error instanceof AwsError) return refusal(error.type, error.message, error.members);
      if (error instanceof StepFunctionsError) return refusal(error.name, error.message);
      onDefect(error);
      throw error;
    }
  };
  return {
    // eslint-disable-next-line @typescript-eslint/require-await -- a refusal to answer is a rejection
    handle: async (request: SdkRequest) => respond(request),
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}

function perform(services: Services, target: string, body: SdkRequest['body']): object {
  const [service = '', name = ''] = target.split('.');
  const operation = services[service]?.get(name);
  if (operation === undefined) throw new UnsupportedRequest(`the operation ${target}`);
  return operation(JSON.parse(textOf(body)) as never);
}

const decoder = new TextDecoder();

function textOf(body: SdkRequest['body'] = '{}'): string {
  return typeof body === 'string' ? body : decoder.decode(body);
}

function refusal(type: string, message: string, members: AwsError['members'] = {}) {
  return answer(400, { __type: type, message, Message: message, ...members });
}

function answer(statusCode: number, body: object) {
  return {
    response: {
      statusCode,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: Buffer.from(JSON.stringify(body)),
    },
  };
}
