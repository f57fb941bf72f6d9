import { StepFunctionsError } from './errors.ts';

const DEFAULT_PAGE_SIZE = 100;

export interface PageRequest {
  readonly maxResults?: number | undefined;
  readonly nextToken?: string | undefined;
}

/**
 * One page of a list that may grow between two calls.
 * @param list names the list and its order; a token of another list is refused.
 * @param positionOf increases along `items` and never changes for an item.
 * @throws StepFunctionsError InvalidToken
 */
export function page<Item>(
  list: string,
  items: readonly Item[],
  positionOf: (item: Item) => number,
  request: PageRequest,
): { items: Item[]; nextToken?: string } {
  const after = request.nextToken === undefined ? -Infinity : decode(list, request.nextToken);
  const rest = items.filter((item) => positionOf(item) > after);
  // AWS treats 0 as the default.
  const pageItems = rest.slice(0, request.maxResults || DEFAULT_PAGE_SIZE);
  const last = pageItems.at(-1);
  return last === undefined || pageItems.length === rest.length
    ? { items: pageItems }
    : { items: pageItems, nextToken: encode(list, positionOf(last)) };
}

function encode(list: string, position: number): string {
  return Buffer.from(JSON.stringify([list, position])).toString('base64url');
}

function decode(list: string, token: string): number {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(decoded) && decoded[0] === list) return Number(decoded[1]);
  } catch (error) {
    throw new StepFunctionsError('InvalidToken', "Invalid Token: 'Invalid token'", {
      cause: error,
    });
  }
  throw new StepFunctionsError('InvalidToken', "Invalid Token: 'Invalid token'");
}
