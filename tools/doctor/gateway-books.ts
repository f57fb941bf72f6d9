import type { Charge, PaymentGateway } from '../../lib/payments/payment-gateway.ts';
import { type Clock, sleep } from '../../lib/platform/clock.ts';
import { atMost } from './at-most.ts';

const CONCURRENCY = 8;
/** A call that fails may be a hiccup, or one too many a second; it is asked again after a moment. */
const TRIES = 3;
const PAUSE_MS = 500;
/** So many orders in a row that nobody answered for are an outage. */
const FAILURES_IN_A_ROW = 3;

/** What the gateway has in its books, as long as it answers. */
export class GatewayBooks {
  readonly #gateway: Pick<PaymentGateway, 'listCharges'>;
  readonly #clock: Clock;
  #failuresInARow = 0;
  #lastFailure: string | undefined;

  constructor(gateway: Pick<PaymentGateway, 'listCharges'>, clock: Clock) {
    this.#gateway = gateway;
    this.#clock = clock;
  }

  /** Why the last order could not be asked about that could not. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /**
   * The charges of each order. An order is left out where the gateway could not be asked, and every
   * order from then on once it seems to be away: nobody is helped by waiting for each time-out.
   */
  async ofOrders(orderIds: readonly string[]): Promise<ReadonlyMap<string, readonly Charge[]>> {
    const books = new Map<string, readonly Charge[]>();
    await atMost(CONCURRENCY, orderIds, async (orderId) => {
      const charges = await this.#ask(orderId);
      if (charges !== undefined) books.set(orderId, charges);
    });
    return books;
  }

  async #ask(orderId: string): Promise<readonly Charge[] | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (tries > 0) await sleep(this.#clock, PAUSE_MS * tries);
      if (this.#failuresInARow >= FAILURES_IN_A_ROW) return undefined;
      try {
        const charges = await this.#gateway.listCharges(orderId);
        this.#failuresInARow = 0;
        return charges;
      } catch (error) {
        this.#lastFailure = error instanceof Error ? error.message : String(error);
      }
    }
    this.#failuresInARow += 1;
    return undefined;
  }
}
