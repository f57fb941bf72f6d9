import { createHash } from 'node:crypto';
import type {
  OpenApiDocument,
  OpenApiMedia,
  OpenApiOperation,
  OpenApiParameter,
  OpenApiResponse,
} from './open-api-format.ts';
import { PAGE_STYLE } from './page-style.ts';

/** A part of JSON Schema, as far as this API's document uses it. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: OpenApiOperation;
}

const PROBLEM = 'application/problem+json';

/** Lets the page show its own style and load nothing. */
export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The document as one page of HTML without scripts, which needs nothing from anywhere else. */
export function renderPage(document: OpenApiDocument): string {
  const { info, tags } = document;
  const entries = entriesOf(document);
  const groups = tags.map((tag) => ({
    ...tag,
    entries: entries.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(info.title)} API</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<div class="layout">
<nav aria-label="Contents">
<strong class="name">${text(info.title)} API</strong>
<ul>
<li><a href="#overview">Overview</a></li>
<li><a href="#problems">Problems</a></li>
<li><a href="#schemas">Schemas</a></li>
</ul>
${groups.map((group) => `<strong>${text(group.name)}</strong>\n<ul>${group.entries.map(navigation).join('')}</ul>`).join('\n')}
</nav>
<main id="content">
<h1 id="overview">${text(info.title)} API <small>${text(info.version)}</small></h1>
${prose(info.description)}
<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI ${text(document.openapi)}).
The examples are for a shell with <code>API</code> and <code>TOKEN</code> set.</p>
<h4>Who may call</h4>
${credentials(document)}
${groups.map((group) => `<h2 id="${text(group.name.toLowerCase())}">${text(group.name)}</h2>\n${prose(group.description)}\n${group.entries.map((entry) => section(document, entry)).join('\n')}`).join('\n')}
${problems(document)}
${schemas(document)}
</main>
</div>
</body>
</html>
`;
}

function entriesOf({ paths }: OpenApiDocument): Entry[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
}

function navigation({ method, path, operation }: Entry): string {
  return `<li><a href="#${text(operation.operationId)}" title="${text(path)}">${badge(method)} <span>${text(operation.summary)}</span></a></li>`;
}

function badge(method: string): string {
  return `<span class="method ${text(method)}">${text(method.toUpperCase())}</span>`;
}

function credentials({ components }: OpenApiDocument): string {
  return table(
    ['Credential', 'What it is'],
    Object.entries(components.securitySchemes).map(([name, { description }]) => [
      text(name),
      inline(String(description)),
    ]),
  );
}

function section(document: OpenApiDocument, { method, path, operation }: Entry): string {
  const { operationId, summary, description } = operation;
  const parameters = operation.parameters.map((parameter) =>
    '$ref' in parameter ? (resolve(document, parameter.$ref) as OpenApiParameter) : parameter,
  );
  const body = operation.requestBody?.content['application/json'];
  const responses = Object.entries(operation.responses).map(
    ([status, response]): [string, OpenApiResponse] => [
      status,
      '$ref' in response ? (resolve(document, response.$ref) as OpenApiResponse) : response,
    ],
  );
  return `<section aria-labelledby="${text(operationId)}">
<h3 id="${text(operationId)}"><a href="#${text(operationId)}"><span class="summary">${text(summary)}</span> ${badge(method)} <code>${text(path)}</code></a></h3>
${prose(description)}
<p class="muted">Credential: ${credentialOf(operation)}</p>
<pre tabindex="0"><code>${text(curl({ method, path, operation }, parameters, body))}</code></pre>
<h4>Parameters</h4>
${table(
  ['Name', 'In', 'Type', 'What it does'],
  parameters.map((parameter) => [
    `<code>${text(parameter.name)}</code>`,
    text(parameter.in) + (parameter.required ? '' : ' <span class="muted">(optional)</span>'),
    typeOf(parameter.schema),
    inline(parameter.description) +
      (parameter.example === undefined
        ? ''
        : ` <span class="muted">Such as</span> <code>${text(String(parameter.example))}</code>`),
  ]),
)}
${body === undefined ? '' : `<h4>Body: ${typeOf(body.schema)}</h4>\n${propertyTable(resolved(document, body.schema))}`}
<h4>Answers</h4>
${table(
  ['Status', 'Meaning', 'Headers'],
  responses.map(([status, response]) => [
    `<strong>${text(status)}</strong>`,
    meaning(response),
    Object.keys(response.headers)
      .map((name) => `<code>${text(name)}</code>`)
      .join(' '),
  ]),
)}
${responses.map(([status, response]) => example(status, response)).join('\n')}
</section>`;
}

function credentialOf({ security }: OpenApiOperation): string {
  if (security.length === 0) return 'none';
  return security
    .flatMap((alternative) => Object.entries(alternative))
    .map(([name, scopes]) =>
      [text(name), ...scopes.map((scope) => `with the scope <code>${text(scope)}</code>`)].join(
        ' ',
      ),
    )
    .join(' or ');
}

/** A call to copy into a shell. */
function curl(
  { method, path, operation }: Entry,
  parameters: readonly OpenApiParameter[],
  body: OpenApiMedia | undefined,
): string {
  const isUser = operation.security.some((alternative) => 'user' in alternative);
  const isService = operation.security.some((alternative) => 'service' in alternative);
  const isSigned = operation.security.some((alternative) => 'signature' in alternative);
  const filled = parameters.reduce(
    (url, parameter) =>
      parameter.in === 'path' ? url.replace(`{${parameter.name}}`, String(parameter.example)) : url,
    path,
  );
  const query = parameters
    .filter((parameter) => parameter.in === 'query' && parameter.example !== undefined)
    .map((parameter) => `${parameter.name}=${String(parameter.example)}`)
    .join('&');
  const offered = ['Idempotency-Key', 'Prefer'];
  const headers = [
    ...(isUser ? ['Authorization: Bearer $TOKEN'] : []),
    ...(isService && !isUser ? ['Authorization: Bearer $INVENTORY_CREDENTIAL'] : []),
    ...(isSigned ? ['X-Gateway-Signature: t=$NOW,v1=$HMAC'] : []),
    ...parameters
      .filter(({ name }) => offered.includes(name))
      .map((parameter) => `${parameter.name}: ${String(parameter.example)}`),
    ...(body === undefined ? [] : ['Content-Type: application/json']),
  ];
  const verb = method === 'get' ? '' : `-X ${method.toUpperCase()} `;
  return [
    `curl -s ${verb}"$API${filled}${query === '' ? '' : `?${query}`}"`,
    ...headers.map((header) => `-H "${header}"`),
    ...(body === undefined ? [] : [`-d '${JSON.stringify(body.example)}'`]),
  ].join(' \\\n  ');
}

function meaning({ description, content }: OpenApiResponse): string {
  const examples = content[PROBLEM]?.examples;
  if (examples !== undefined) {
    // Codes of API Gateway alone are not among the problems that the page lists.
    return Object.entries(examples)
      .map(([code, example]) => {
        const name = `<code>${text(code)}</code>`;
        return '$ref' in example ? `<a href="#${text(code)}">${name}</a>` : name;
      })
      .join(' ');
  }
  const media = content[PROBLEM] === undefined ? Object.values(content)[0] : undefined;
  return inline(description) + (media === undefined ? '' : ` ${typeOf(media.schema)}`);
}

function example(status: string, { content }: OpenApiResponse): string {
  const media = content['application/json'];
  return media === undefined
    ? ''
    : `<details><summary>Example of ${text(status)}</summary>${json(media.example)}</details>`;
}

function problems({ components }: OpenApiDocument): string {
  const rows = Object.entries(components.examples).map(([code, { summary, value }]) => {
    const { status, detail } = value as { readonly status: number; readonly detail: string };
    return [
      `<span id="${text(code)}"><code>${text(code)}</code></span>`,
      `<strong>${String(status)}</strong>`,
      `${text(summary)}.<br><span class="muted">${text(detail)}</span>`,
    ];
  });
  return `<h2 id="problems">Problems</h2>
<p>Every error is answered as <code>${PROBLEM}</code> (RFC 9457). Programs decide by
<code>code</code>; <code>detail</code> says what to do next, as in these examples.</p>
${table(['Code', 'Status', 'Meaning, and what to do next'], rows)}
<details><summary>Example of a problem</summary>${json(components.examples['DUPLICATE_ORDER']?.value)}</details>`;
}

function schemas({ components }: OpenApiDocument): string {
  const parts = Object.entries(components.schemas).map(
    ([name, schema]: [string, Schema]) =>
      `<h3 id="schema-${text(name)}"><a href="#schema-${text(name)}">${text(name)}</a></h3>\n${schema.properties === undefined ? `<p>${typeOf(schema)}</p>` : propertyTable(schema)}`,
  );
  return `<h2 id="schemas">Schemas</h2>\n${parts.join('\n')}`;
}

function propertyTable(schema: Schema): string {
  return table(['Member', 'Type', 'What it is'], rowsOf(schema, ''));
}

/** One row per member; the rows of inner objects follow it: `items[].quantity`. */
function rowsOf({ properties = {}, required = [] }: Schema, prefix: string): string[][] {
  return Object.entries(properties).flatMap(([name, member]) => {
    const path = prefix + name;
    const inner = member.anyOf?.find(({ properties: members }) => members !== undefined) ?? member;
    const optional = required.includes(name) ? '' : ' <span class="muted">(optional)</span>';
    return [
      [`<code>${text(path)}</code>${optional}`, typeOf(member), inline(member.description ?? '')],
      ...rowsOf(inner, `${path}.`),
      ...(inner.items === undefined ? [] : rowsOf(inner.items, `${path}[].`)),
    ];
  });
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = text(schema.$ref.split('/').at(-1) ?? '');
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(' ');
  const type =
    schema.type === 'array' && schema.items !== undefined
      ? `list of ${typeOf(schema.items)}`
      : text(schema.format ?? [schema.type ?? 'anything'].flat().join(' or '));
  return [type, ...limitsOf(schema)].join(', ');
}

function limitsOf(schema: Schema): string[] {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern } = schema;
  const range = (from: number | undefined, to: number | undefined, what: string): string[] => {
    if (from === undefined && to === undefined) return [];
    if (to === undefined) return [`at least ${String(from)}${what}`];
    return [
      from === undefined
        ? `at most ${String(to)}${what}`
        : `${String(from)} to ${String(to)}${what}`,
    ];
  };
  return [
    ...range(unlessImplied(minimum), unlessImplied(maximum), ''),
    ...range(minLength, maxLength, ' characters'),
    ...range(minItems, maxItems, ' entries'),
    ...(pattern === undefined || schema.format !== undefined ? [] : [code(pattern)]),
    ...(schema.default === undefined ? [] : [`else ${code(schema.default)}`]),
  ];
}

/** The limit; undefined if every integer has it. */
function unlessImplied(limit: number | undefined): number | undefined {
  return Math.abs(limit ?? 0) === Number.MAX_SAFE_INTEGER ? undefined : limit;
}

function resolved(document: OpenApiDocument, schema: Schema): Schema {
  return schema.$ref === undefined ? schema : (resolve(document, schema.$ref) as Schema);
}

function resolve(document: OpenApiDocument, reference: string): unknown {
  let target: unknown = document;
  for (const name of reference.split('/').slice(1)) {
    target = (target as Readonly<Record<string, unknown>>)[name];
  }
  return target;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((name) => `<th scope="col">${name}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

function json(value: unknown): string {
  return `<pre tabindex="0"><code>${text(JSON.stringify(value, undefined, 2))}</code></pre>`;
}

function code(value: unknown): string {
  return `<code>${text(String(value))}</code>`;
}

function prose(paragraphs: string): string {
  return paragraphs
    .split('\n\n')
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join('\n');
}

/** Text with `code` as code elements. */
function inline(value: string): string {
  return text(value).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function text(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
