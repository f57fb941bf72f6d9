import * as z from 'zod';
import type { Json } from './open-api-format.ts';
import { SERVICES } from './operations.ts';
import { problemSchema } from './problem-types.ts';

type Registry = z.core.$ZodRegistry<{ id: string }>;

function registryOf(schemasByName: Readonly<Record<string, z.ZodType>>): Registry {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemasByName)) registry.add(schema, { id });
  return registry;
}

const requests: Readonly<Record<string, z.ZodType>> = Object.assign(
  {},
  ...SERVICES.map((service) => service.requests),
) as Record<string, z.ZodType>;
const responses: Readonly<Record<string, z.ZodType>> = Object.assign(
  { Problem: problemSchema },
  ...SERVICES.map((service) => service.responses),
) as Record<string, z.ZodType>;
const named = registryOf({ ...requests, ...responses });

/** @throws where a service uses a body that it has given no name. */
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

/** Of requests what may be sent, of answers what will be there and may be joined by more later. */
function jsonSchemas(
  registry: Registry,
  io: 'input' | 'output',
  names: readonly string[],
): Record<string, Json> {
  const all = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // The format says the same as zod's pattern of leap years.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      const isClosed = jsonSchema.additionalProperties === false;
      if (io === 'output' && isClosed) delete jsonSchema.additionalProperties;
      // Implied where nothing else is said, and a distraction to readers.
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
