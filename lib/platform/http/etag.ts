import { BadRequest } from '../errors.ts';
import type { ApiResponse } from './api-handler.ts';

/** Entity tag of a resource: its version in quotes (RFC 9110). */
export function etagOf({ version }: { readonly version: number }): string {
  return `"${String(version)}"`;
}

/**
 * Reads the version in `If-Match`; undefined if the header is absent or `*`.
 * @throws BadRequest if it is not an entity tag of this API.
 */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const match = /^\s*"(\d{1,15})"\s*$/.exec(ifMatch);
  if (match === null) {
    throw new BadRequest('If-Match must be the ETag of an earlier answer, such as "3".');
  }
  return Number(match[1]);
}

/** True if `If-None-Match` names this entity tag: the caller has this answer already. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const known = ifNoneMatch.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return known.includes('*') || known.includes(etag);
}

/** Response to a `GET`: 304 without content if the caller has the answer already. */
export function unlessKnown(
  ifNoneMatch: string | undefined,
  response: ApiResponse & { readonly headers: { readonly ETag: string } },
): ApiResponse {
  const { ETag } = response.headers;
  return isKnown(ifNoneMatch, ETag)
    ? { status: 304, headers: { ETag }, body: undefined }
    : response;
}
