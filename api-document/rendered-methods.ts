import { isForPages } from '../lib/platform/http/endpoint.ts';
import { ENDPOINTS } from './endpoints.ts';

// Packaging replaces this module by its value, as it does with rendered-document.ts.

/** Methods that pages in a browser may call, by path template: `/order/{orderId}`. */
export const METHODS_BY_PATH: Readonly<Record<string, readonly string[]>> = methodsByPath();

function methodsByPath(): Record<string, string[]> {
  const methods: Record<string, string[]> = {};
  for (const endpoint of ENDPOINTS.values()) {
    const [method = '', path = ''] = endpoint.route.split(' ');
    if (isForPages(endpoint)) (methods[path] ??= []).push(method);
  }
  return methods;
}
