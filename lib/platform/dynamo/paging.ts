import * as z from 'zod';

export interface PageQuery {
  readonly limit: number;
  /** Position of the last entry of the page before; undefined for the first page. */
  readonly cursor?: string | undefined;
}

export interface PageRules {
  readonly defaultLimit: number;
  readonly maximumLimit: number;
  /** Form of a decoded cursor. */
  readonly position: RegExp;
}

/**
 * Schema of a list's `?limit=&cursor=`. A cursor names the position of the last entry returned, not a
 * number of entries. Pages therefore neither repeat nor skip entries while others are added.
 */
export function pageQuerySchema({ defaultLimit, maximumLimit, position }: PageRules) {
  return z.strictObject({
    limit: z
      .preprocess(
        (text) => (/^\d{1,9}$/.test(String(text)) ? Number(text) : text),
        z.int('must be a whole number').min(1).max(maximumLimit),
      )
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
 * Cuts one page from the positions after the cursor. The caller has read one position more than fits.
 * @param textOf writes a position as PageRules has it.
 * @returns `next`: cursor of the following page; null on the last one.
 */
export function pageOf<Position>(
  positions: readonly Position[],
  limit: number,
  textOf: (position: Position) => string,
): { readonly page: readonly Position[]; readonly next: string | null } {
  const page = positions.slice(0, limit);
  const last = page.at(-1);
  const isLastPage = last === undefined || positions.length <= limit;
  return { page, next: isLastPage ? null : Buffer.from(textOf(last)).toString('base64url') };
}
