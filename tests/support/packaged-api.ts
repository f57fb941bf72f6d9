import type { Template } from './packaging.ts';

type Resources = Template['Resources'];

/** Headers of a connection or message: part of HTTP, not of the API. */
export const OF_THE_TRANSPORT: readonly string[] = [
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
];

/** The function of each method, by resource path; a resource without methods has an empty map. */
export function methodsIn({ Resources }: Template): ReadonlyMap<string, Map<string, string>> {
  const found = new Map<string, Map<string, string>>([['/', new Map()]]);
  for (const [id, { Type }] of Object.entries(Resources)) {
    if (Type === 'AWS::ApiGateway::Resource') found.set(pathOf(Resources, id), new Map());
  }
  for (const { Type, Properties = {} } of Object.values(Resources)) {
    if (Type !== 'AWS::ApiGateway::Method') continue;
    const { ResourceId, HttpMethod, Integration } = Properties;
    const methods = found.get(pathOf(Resources, (ResourceId as { readonly Ref?: string }).Ref));
    methods?.set(String(HttpMethod), functionOf(Integration));
  }
  return found;
}

/** The full path of a resource; the root for any other id. */
function pathOf(resources: Resources, id: string | undefined): string {
  const { ParentId, PathPart } = resources[id ?? '']?.Properties ?? {};
  if (typeof PathPart !== 'string') return '/';
  const parent = pathOf(resources, (ParentId as { readonly Ref?: string }).Ref);
  return `${parent === '/' ? '' : parent}/${PathPart}`;
}

/** Key in serverless.yml of the function behind a Lambda proxy; throws for any other integration. */
function functionOf(integration: unknown): string {
  const text = JSON.stringify(integration);
  const id = /"(\w+)LambdaFunction"/.exec(text)?.[1];
  if (id === undefined || !text.includes('"AWS_PROXY"')) throw new Error(`No proxy: ${text}`);
  return id.charAt(0).toLowerCase() + id.slice(1);
}

interface GatewayResponse {
  /** Literal headers, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** API Gateway's own responses, by type. */
export function gatewayResponsesIn({ Resources }: Template): ReadonlyMap<string, GatewayResponse> {
  return new Map(
    Object.values(Resources)
      .filter(({ Type }) => Type === 'AWS::ApiGateway::GatewayResponse')
      .map(({ Properties = {} }) => {
        const { ResponseType, ResponseParameters, ResponseTemplates } = Properties;
        const headers = Object.entries(ResponseParameters as Record<string, string>)
          .filter(([, source]) => source.startsWith("'"))
          .map(([name, source]) => [
            name.replace('gatewayresponse.header.', '').toLowerCase(),
            source.slice(1, -1),
          ]);
        const body = (ResponseTemplates as Record<string, string>)['application/json'] ?? '';
        return [
          String(ResponseType),
          { headers: Object.fromEntries(headers) as Record<string, string>, body },
        ];
      }),
  );
}
