import { isForPages } from '../lib/platform/http/endpoint.ts';
import { ENDPOINTS } from './endpoints.ts';

// Packaging replaces this module by its values, as it does with rendered-document.ts.

const forPages = [...ENDPOINTS.values()].filter(isForPages);

/** Methods that pages in a browser may call, by path template: `/order/{orderId}`. */
export const METHODS_BY_PATH: Readonly<Record<string, readonly string[]>> = methodsByPath();

/** Request headers that a page's script may send. */
export const SENDABLE_HEADERS: readonly string[] = [
  ...new Set([
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'X-Correlation-Id',
    ...forPages.flatMap(({ headers = [] }) => headers),
  ]),
].sort();

function methodsByPath(): Record<string, string[]> {
  const methods: Record<string, string[]> = {};
  for (const { route } of forPages) {
    const [method = '', path = ''] = route.split(' ');
    (methods[path] ??= []).push(method);
  }
  return methods;
}
