import { ORDER_ID, PAYMENT_ID, PRODUCT_ID } from './limits.ts';
import { NotFound } from './platform/errors.ts';

/** Ids that a path or a body names: the form of each, and the detail of the answer if there is none of this id. */
const OUTSIDE_IDS = {
  orderId: {
    form: ORDER_ID,
    absent: 'You have no such order; check the id and the token you use.',
  },
  paymentId: {
    form: PAYMENT_ID,
    absent: 'You have no such payment; check the id and the token you use.',
  },
  productId: { form: PRODUCT_ID, absent: 'There is no such product; see GET /product.' },
};

type OutsideId = keyof typeof OUTSIDE_IDS;

type NamesIn<Route extends string> = Route extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;

/** The ids in the path of a route; a parameter that is no id is not among them. */
export type PathIdsOf<Route extends string> = {
  readonly [Name in Extract<NamesIn<Route>, OutsideId>]: string;
};

/**
 * Checks an id that came from outside. One that nothing can have never becomes a key, or a part of a URL.
 * @throws NotFound
 */
export function possibleId(name: OutsideId, id: string): string {
  if (OUTSIDE_IDS[name].form.test(id)) return id;
  throw notFound(name);
}

/**
 * Reads the ids of a path.
 * @throws NotFound
 */
export function pathIdsOf<Route extends string>(
  given: Readonly<Record<string, string | undefined>>,
): PathIdsOf<Route> {
  const ids: Partial<Record<OutsideId, string>> = {};
  for (const name of Object.keys(OUTSIDE_IDS) as OutsideId[]) {
    const id = given[name];
    if (id !== undefined) ids[name] = possibleId(name, id);
  }
  return ids as PathIdsOf<Route>;
}

/** The answer about an order, payment or product that does not exist for the caller: the same for every such id. */
export function notFound(name: OutsideId): NotFound {
  return new NotFound(OUTSIDE_IDS[name].absent);
}
