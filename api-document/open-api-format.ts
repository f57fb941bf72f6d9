export type Json = Record<string, unknown>;

/** OpenAPI 3.1, as far as this API uses it. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Json>>;
    readonly responses: Readonly<Record<string, OpenApiResponse>>;
    readonly parameters: Readonly<Record<string, OpenApiParameter>>;
    readonly headers: Readonly<Record<string, OpenApiHeader>>;
    readonly examples: Readonly<Record<string, OpenApiExample>>;
    readonly securitySchemes: Readonly<Record<string, Json>>;
  };
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly (OpenApiParameter | Reference)[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, OpenApiMedia>>;
  };
  readonly responses: Readonly<Record<string, OpenApiResponse | Reference>>;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers: Readonly<Record<string, OpenApiHeader | Reference>>;
  readonly content: Readonly<Record<string, OpenApiMedia>>;
}

export interface OpenApiMedia {
  readonly schema: Json;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, OpenApiExample | Reference>>;
}

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description: string;
  readonly schema: Json;
  readonly example?: string | number;
}

export interface OpenApiHeader {
  readonly description: string;
  /** True if every such response has it. */
  readonly required: boolean;
  readonly schema: Json;
  readonly example: unknown;
}

export interface OpenApiExample {
  readonly summary: string;
  readonly value: unknown;
}

interface Reference {
  readonly $ref: string;
}
