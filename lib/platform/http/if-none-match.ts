import type { ApiResponse } from './api-handler.ts';

/** True if `If-None-Match` names this ETag, so that the caller has this answer already (RFC 9110). */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const known = ifNoneMatch.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return known.includes('*') || known.includes(etag);
}

/** The response to a `GET`: 304 without content if the caller has it already. */
export function unlessKnown(
  ifNoneMatch: string | undefined,
  response: ApiResponse & { readonly headers: { readonly ETag: string } },
): ApiResponse {
  const { ETag } = response.headers;
  return isKnown(ifNoneMatch, ETag)
    ? { status: 304, headers: { ETag }, body: undefined }
    : response;
}
