import * as z from 'zod';

export interface PageQuery {
  readonly limit: number;
  /** Where the page before ended; undefined for the first page. */
  readonly cursor?: string | undefined;
}

export interface PageRules {
  readonly defaultLimit: number;
  readonly maximumLimit: number;
  /** What a cursor of this list must hold. */
  readonly position: RegExp;
}

/**
 * `?limit=&cursor=` of a list. A cursor names the place of the last entry that was handed out, not
 * a number of entries, so pages neither repeat nor skip one when others are added meanwhile.
 */
export function pageQuerySchema({ defaultLimit, maximumLimit, position }: PageRules) {
  return z.strictObject({
    limit: z
      .string()
      .regex(/^\d{1,9}$/, 'must be a whole number')
      .transform(Number)
      .pipe(z.int().min(1).max(maximumLimit))
      .default(defaultLimit)
      .describe(`1 to ${String(maximumLimit)}; ${String(defaultLimit)} unless given.`),
    cursor: z
      .base64url()
      .transform((cursor) => Buffer.from(cursor, 'base64url').toString('utf8'))
      .refine((decoded) => position.test(decoded), 'must be the "next" of an earlier page')
      .optional()
      .describe('The `next` of the page before; absent for the first one.'),
  });
}

/**
 * One page of the places found after the cursor, of which one more was asked for than fits.
 * @returns `next` is the cursor of the page after it; null where there is none.
 */
export function pageOf(
  positions: readonly string[],
  limit: number,
): { readonly page: readonly string[]; readonly next: string | null } {
  const page = positions.slice(0, limit);
  const last = page.at(-1);
  const isLastPage = last === undefined || positions.length <= limit;
  return { page, next: isLastPage ? null : Buffer.from(last).toString('base64url') };
}
