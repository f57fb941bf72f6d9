import { eventsOf, type ServiceDefinition } from './service-definition.ts';

/** The function that answers a request, and its path parameters. */
export interface Route {
  readonly functionKey: string;
  /** Path template of the resource: `/order/{orderId}`. */
  readonly resource: string;
  /** Decoded values by name; null if the template has none. */
  readonly pathParameters: Record<string, string> | null;
}

interface Resource {
  readonly template: string;
  readonly segments: readonly string[];
  /** Function keys by upper-case method; `ANY` matches all others. */
  readonly functions: ReadonlyMap<string, string>;
}

/** Thrown if a path is not percent-encoded UTF-8. */
export class MalformedPath extends Error {
  override readonly name = 'MalformedPath';
}

/**
 * Resources and methods that API Gateway creates for the `http` events of serverless.yml. A literal segment wins
 * over a parameter, and a parameter over a greedy one. If the resource lacks the method, a greedy resource that
 * has the method takes the request.
 */
export class ApiRoutes {
  readonly #resources: readonly Resource[];

  constructor(service: ServiceDefinition) {
    const functions = new Map<string, Map<string, string>>();
    for (const { key, event } of eventsOf(service, 'http')) {
      for (const template of withAncestors(event.path)) {
        if (!functions.has(template)) functions.set(template, new Map());
      }
      functions.get(event.path)?.set(event.method.toUpperCase(), key);
    }
    this.#resources = [...functions]
      .map(([template, own]) => ({ template, segments: segmentsOf(template), functions: own }))
      .sort(bySpecificity);
  }

  /**
   * Finds the route of a request; undefined if API Gateway would answer by itself.
   * @throws MalformedPath
   */
  find(method: string, path: string): Route | undefined {
    // A trailing slash does not make another resource.
    const segments = segmentsOf(path.replace(/(?<=.)\/$/, ''));
    const matching = this.#resources.filter((one) => isMatch(one.segments, segments));
    const [first, ...others] = matching;
    const candidates = [first, ...others.filter(({ template }) => template.endsWith('+}'))];
    for (const resource of candidates) {
      const functionKey = resource?.functions.get(method) ?? resource?.functions.get('ANY');
      if (resource === undefined || functionKey === undefined) continue;
      const pathParameters = parametersOf(resource.segments, segments);
      return { functionKey, resource: resource.template, pathParameters };
    }
    return undefined;
  }
}

/** `/a/{b}` gives `/a/{b}`, `/a` and `/`: each prefix of a path is a resource. */
function withAncestors(template: string): string[] {
  const segments = segmentsOf(template);
  return ['/', ...segments.map((_segment, index) => `/${segments.slice(0, index + 1).join('/')}`)];
}

function segmentsOf(path: string): string[] {
  return path === '/' ? [] : path.split('/').slice(1);
}

/** Rank of a segment: 0 for a literal, 1 for a parameter, 2 for a greedy parameter. */
function generality(segment: string | undefined): number {
  if (segment?.startsWith('{') !== true) return 0;
  return segment.endsWith('+}') ? 2 : 1;
}

function bySpecificity(left: Resource, right: Resource): number {
  const index = left.segments.findIndex(
    (segment, at) => generality(segment) !== generality(right.segments[at]),
  );
  return index < 0 ? 0 : generality(left.segments[index]) - generality(right.segments[index]);
}

function isMatch(template: readonly string[], segments: readonly string[]): boolean {
  const isGreedy = generality(template.at(-1)) === 2;
  const isLongEnough = isGreedy
    ? segments.length >= template.length
    : segments.length === template.length;
  return (
    isLongEnough &&
    template.every((part, index) =>
      generality(part) === 0 ? part === segments[index] : segments[index] !== '' || isGreedy,
    )
  );
}

function parametersOf(
  template: readonly string[],
  segments: readonly string[],
): Record<string, string> | null {
  const found = template.flatMap((part, index): [string, string][] => {
    const name = /^\{(\w+)\+?\}$/.exec(part)?.[1];
    if (name === undefined) return [];
    const value = part.endsWith('+}') ? segments.slice(index).join('/') : segments[index];
    return [[name, decoded(value ?? '')]];
  });
  return found.length === 0 ? null : Object.fromEntries(found);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new MalformedPath(`The path is not percent-encoded UTF-8: ${text}`, { cause });
  }
}
