/**
 * Limits of the API, and of what both services store: each number stands here alone. Both services
 * import them, so that Inventory reserves every order that the Order Service accepts.
 * tests/unit/lib/limits.test.ts holds them against DynamoDB's own. A number that a deployment may choose is a
 * setting: lib/platform/settings.ts.
 */

/** Lines of one order. */
export const MAX_LINES_PER_ORDER = 20;
/** Pieces of one product in one order, after equal products were added up. */
export const MAX_PIECES_PER_LINE = 10_000;
/** Times that the items of one order can be changed. */
export const MAX_MODIFICATIONS_PER_ORDER = 20;
/** Runs of one order's saga, whoever starts them. */
export const MAX_RUNS_PER_ORDER = 50;
/** Runs that only the system may use: retries of the user stop before them. */
const RECOVERY_RUNS_PER_ORDER = 10;
/** Runs of one order's saga that its user may have started. */
export const MAX_USER_RUNS_PER_ORDER = MAX_RUNS_PER_ORDER - RECOVERY_RUNS_PER_ORDER;

/** Unpaid orders that MAX_OPEN_ORDERS_PER_USER may allow a user. */
export const MOST_OPEN_ORDERS_PER_USER = 40;
/** Entries of one user's open orders: two for each order that is being modified, and failed ones. */
export const MAX_OPEN_ORDER_ENTRIES = 90;

/** Size of a request's body, in bytes. */
export const MAX_BODY_BYTES = 64 * 1024;
/** Longest wait of `Prefer: wait=N`, in seconds. */
export const MAX_WAIT_SECONDS = 10;
/** Form of an `Idempotency-Key`: printable ASCII without spaces. */
export const IDEMPOTENCY_KEY = /^[!-~]{1,255}$/;
/** Form of an `X-Correlation-Id`, harmless to log. */
export const CORRELATION_ID = /^[\w.:-]{1,128}$/;
/** Form of the ids in the payment gateway's events: printable ASCII without spaces. */
export const GATEWAY_ID = /^[!-~]{1,255}$/;
/** Form of the reason that the payment gateway gives for an outcome. */
export const GATEWAY_CODE = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Length of a user's id, the claim `sub` of a token, in characters. */
export const MAX_USER_ID_CHARACTERS = 255;
/** Length of an id of a product or an order in a request's body, in characters. */
export const MAX_ID_CHARACTERS = 100;
/** Length of a payment method's token, in characters. */
export const MAX_PAYMENT_TOKEN_CHARACTERS = 200;

/** Digest in every id that a service derives (lib/platform/ids.ts). */
const DIGEST = '[0-9a-f]{26}';
/** Form of an order's id. */
export const ORDER_ID = new RegExp(`^ord_${DIGEST}$`);
/** Form of a payment's id; the first digest is that of its order. */
export const PAYMENT_ID = new RegExp(`^pay_(?<orderDigest>${DIGEST})_${DIGEST}$`);
/** Form of an order's place among those of its user: its time, then its id. */
export const ORDER_POSITION = new RegExp(`^\\d{1,15}#ord_${DIGEST}$`);
/** Form of a product's id, given by its manager or made by the service. */
export const PRODUCT_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Length of a product's name, in characters. */
export const MAX_PRODUCT_NAME_CHARACTERS = 200;
/** Length of a product's description, in characters. */
export const MAX_PRODUCT_DESCRIPTION_CHARACTERS = 2000;
/** Price of one piece, in minor units of its currency. */
export const MAX_UNIT_PRICE_MINOR = 1_000_000_000;
/** Pieces that one receipt of stock, or a new product, brings. */
export const MAX_PIECES_PER_RECEIPT = 1_000_000_000;

/** Entries of one page of a user's orders. */
export const ORDERS_PER_PAGE = { default: 20, max: 50 };
/** Entries of one page of products. */
export const PRODUCTS_PER_PAGE = { default: 50, max: 100 };
