import type { Charge, PaymentGateway } from '../../lib/payments/payment-gateway.ts';
import { type Clock, sleep } from '../../lib/platform/clock.ts';
import { atMost } from './at-most.ts';

const CONCURRENCY = 8;
/** A failed call may be a hiccup, or one call too many a second, so the doctor asks again after a pause. */
const MAX_TRIES = 3;
const PAUSE_MS = 500;
/** The gateway counts as down after this many consecutive orders without an answer. */
const OUTAGE_AFTER_FAILURES = 3;

/** The gateway's books, as long as the gateway answers. */
export class GatewayBooks {
  readonly #gateway: Pick<PaymentGateway, 'listCharges'>;
  readonly #clock: Clock;
  #failuresInARow = 0;
  #lastFailure: string | undefined;

  constructor(gateway: Pick<PaymentGateway, 'listCharges'>, clock: Clock) {
    this.#gateway = gateway;
    this.#clock = clock;
  }

  /** Error of the last order whose charges the gateway did not tell. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /**
   * Reads the charges of each order. The result leaves out an order if the gateway did not answer for it. Once
   * the gateway counts as down, the result leaves out every later order: waiting for each time-out would help
   * nobody.
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
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (tries > 0) await sleep(this.#clock, PAUSE_MS * tries);
      if (this.#failuresInARow >= OUTAGE_AFTER_FAILURES) return undefined;
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
