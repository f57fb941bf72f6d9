import { BadRequest } from '../errors.ts';

/**
 * The version in `If-Match`; undefined if it is absent or `*`.
 * @throws BadRequest if it is not an ETag of this API.
 */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const match = /^\s*"(\d{1,15})"\s*$/.exec(ifMatch);
  if (match === null) {
    throw new BadRequest('If-Match must be the ETag of an earlier answer, such as "3".');
  }
  return Number(match[1]);
}
