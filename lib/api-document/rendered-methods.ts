import { OPERATIONS } from './operations.ts';

// Packaging runs this module and puts its value in its place, as with rendered-document.ts.

/** Methods of every path that pages in a browser may call, by its template: `/order/{orderId}`. */
export const METHODS_BY_PATH: Readonly<Record<string, readonly string[]>> = methodsByPath();

function methodsByPath(): Record<string, string[]> {
  const methods: Record<string, string[]> = {};
  for (const [route, { access, isSigned }] of Object.entries(OPERATIONS)) {
    const [method = '', path = ''] = route.split(' ');
    const isForPages = access !== 'service' && isSigned !== true;
    if (isForPages) (methods[path] ??= []).push(method);
  }
  return methods;
}
