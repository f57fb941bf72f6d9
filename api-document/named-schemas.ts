import * as z from 'zod';
import type { Json } from './open-api-format.ts';
import { problemSchema } from './problem-types.ts';
import { SERVICES } from './service-examples.ts';

type Registry = z.core.$ZodRegistry<{ id: string }>;
type Schemas = Readonly<Record<string, z.ZodType>>;

const requests = merged(SERVICES.map((service) => service.requests));
const responses = merged([
  { Problem: problemSchema },
  ...SERVICES.map((service) => service.responses),
]);
const named: Registry = z.registry();
for (const [id, schema] of Object.entries({ ...requests, ...responses })) named.add(schema, { id });

function merged(parts: readonly Schemas[]): Schemas {
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)));
}

/** @throws if a service uses a body without a name. */
export function reference(schema: z.ZodType): Json {
  const id = named.get(schema)?.id;
  if (id === undefined) throw new Error('A schema of the API has no name in its document.');
  return { $ref: `#/components/schemas/${id}` };
}

export function schemas(): Record<string, Json> {
  const written = {
    ...jsonSchemas(named, 'input', Object.keys(requests)),
    ...jsonSchemas(named, 'output', Object.keys(responses)),
  };
  return Object.fromEntries(Object.entries(written).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Schemas of requests are closed; those of answers allow members that later versions add. */
function jsonSchemas(
  registry: Registry,
  io: 'input' | 'output',
  names: readonly string[],
): Record<string, Json> {
  const all = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // A caller has to know each of these limits; to a reader of an answer they say nothing.
      if (io === 'input') return;
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  }).schemas;
  return Object.fromEntries(
    names.map((name) => {
      const { $schema: _schema, $id: _id, ...schema } = all[name] as Json;
      return [name, schema];
    }),
  );
}
