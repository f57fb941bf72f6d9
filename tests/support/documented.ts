import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import { openApiDocument } from '../../api-document/open-api.ts';

interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Response {
  readonly $ref?: string;
  readonly headers: Readonly<Record<string, { readonly $ref?: string }>>;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Closed schemas, so that an undocumented member is an error. */
const document = closed(openApiDocument()) as ReturnType<typeof openApiDocument>;
const ajv = new Ajv2020({ strict: false, allErrors: true, schemas: [{ $id: 'api', ...document }] });
addFormats.default(ajv);
const validators = new Map<string, ValidateFunction>();

const routes = Object.entries(document.paths)
  .flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => {
      const any = path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.');
      return { method, path, pattern: new RegExp(`^${any}$`), link: new RegExp(`${any}$`) };
    }),
  )
  // `/payment/webhook` comes before `/payment/{paymentId}`.
  .sort((left, right) => Number(left.path.includes('{')) - Number(right.path.includes('{')));

/** @throws unless the API's document has this response: status, body and headers. */
export function expectDocumented(method: string, url: string, seen: Seen): void {
  const path = url.split('?')[0] ?? '';
  const route = routes.find(
    (candidate) => candidate.method === method.toLowerCase() && candidate.pattern.test(path),
  );
  if (route === undefined) return;
  const at = `${method} ${route.path} ${String(seen.status)}`;
  const own = ['paths', route.path, route.method, 'responses', String(seen.status)];
  const pointer = (resolve(own) as Response | undefined)?.$ref?.split('/').slice(1) ?? own;
  const response = resolve(pointer) as Response | undefined;
  expect(response, `${at} is not documented: ${seen.text}`).toBeDefined();
  if (response === undefined) return;
  if (Object.keys(response.content).length === 0) {
    expect(seen.text, `${at}: content`).toBe('');
  } else {
    const contentType = seen.headers.get('content-type')?.split(';')[0] ?? '';
    expect(Object.keys(response.content), `${at}: content type`).toContain(contentType);
    const body = contentType.includes('json') ? JSON.parse(seen.text) : seen.text;
    expectValid([...pointer, 'content', contentType, 'schema'], body, `${at}: ${seen.text}`);
    for (const link of linksIn(body)) expect(isRoute(link), `${at}: ${link}`).toBe(true);
  }
  const location = seen.headers.get('location');
  if (location !== null) expect(isRoute(`GET ${location}`), `${at}: ${location}`).toBe(true);
  for (const [name, header] of Object.entries(response.headers)) {
    const target = header.$ref?.split('/').slice(1) ?? [...pointer, 'headers', name];
    const value = seen.headers.get(name);
    const { required } = resolve(target) as { readonly required: boolean };
    if (required) expect(value, `${at}: ${name}`).not.toBeNull();
    if (value !== null) expectValid([...target, 'schema'], value, `${at}: ${name}: ${value}`);
  }
}

/** Links of an answer: `GET /order/ord_1`. */
export function linksIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { method, href } = value as { readonly method?: unknown; readonly href?: unknown };
  const own = typeof href === 'string' ? [`${String(method)} ${href}`] : [];
  return [...own, ...Object.values(value).flatMap(linksIn)];
}

/** True if the link leads to a route of the API, also below a base path such as `/prod`. */
export function isRoute(link: string): boolean {
  const [method = '', href = ''] = link.split(' ');
  return routes.some((route) => route.method === method.toLowerCase() && route.link.test(href));
}

/** A copy in which every object schema that is silent about further members allows none. */
function closed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(closed);
  const copy = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, closed(one)]));
  return copy['type'] === 'object' && 'properties' in copy
    ? { additionalProperties: false, ...copy }
    : copy;
}

function resolve(names: readonly string[]): unknown {
  let at: unknown = document;
  for (const name of names) at = (at as Readonly<Record<string, unknown>> | undefined)?.[name];
  return at;
}

function expectValid(names: readonly string[], value: unknown, message: string): void {
  const escaped = names.map((name) =>
    encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1')),
  );
  const $ref = `api#/${escaped.join('/')}`;
  let validate = validators.get($ref);
  if (validate === undefined) {
    validate = ajv.compile({ $ref });
    validators.set($ref, validate);
  }
  expect(validate(value) ? [] : validate.errors, message).toEqual([]);
}
