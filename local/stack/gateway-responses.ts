import { z } from 'zod';
import type { ServiceDefinition } from './service-definition.ts';

/** A response to the caller, with header names as they are sent. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request that API Gateway answers by itself. */
export interface GatewayRequest {
  readonly path: string;
  readonly requestId: string;
}

const propertiesSchema = z.object({
  ResponseType: z.string(),
  StatusCode: z.string().optional(),
  ResponseParameters: z.record(z.string(), z.string()),
  ResponseTemplates: z.object({ 'application/json': z.string() }),
});

type Properties = z.infer<typeof propertiesSchema>;

const HEADER = 'gatewayresponse.header.';

/** Renders API Gateway's own responses from the definition's `GatewayResponse` resources. */
export class GatewayResponses {
  readonly #byType: ReadonlyMap<string, Properties>;

  constructor({ resources }: ServiceDefinition) {
    this.#byType = new Map(
      Object.values(resources.Resources)
        .filter(({ Type }) => Type === 'AWS::ApiGateway::GatewayResponse')
        .map(({ Properties }) => propertiesSchema.parse(Properties))
        .map((properties) => [properties.ResponseType, properties]),
    );
  }

  /** @param status API Gateway's own for this type; the definition may replace it. */
  render(type: string, status: number, request: GatewayRequest): HttpResponse {
    const properties =
      this.#byType.get(type) ?? this.#byType.get(status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
    if (properties === undefined) throw new Error(`serverless.yml has no response for ${type}.`);
    const headers = Object.entries(properties.ResponseParameters).map(([name, source]) => [
      name.slice(HEADER.length),
      source === 'context.requestId' ? request.requestId : source.replace(/^'(.*)'$/, '$1'),
    ]);
    return {
      statusCode: Number(properties.StatusCode ?? status),
      headers: Object.fromEntries(headers) as Record<string, string>,
      body: properties.ResponseTemplates['application/json'].replaceAll('$context.path', () =>
        JSON.stringify(request.path).slice(1, -1),
      ),
    };
  }
}
