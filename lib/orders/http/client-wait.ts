import { sleep } from '../../platform/clock.ts';
import { isInfrastructure } from '../../platform/errors.ts';
import type { OrderService } from '../order-service.ts';

const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 250;
/** Time that every call may wait. Only who waits for longer takes a place among `MAX_LONG_WAITS`. */
const FREE_MS = 1000;

/** The wait of one call, for `Prefer: wait`. It occupies a function, so the stage bounds how many there are. */
export class ClientWait {
  readonly #service: OrderService;
  readonly #sinceMs: number;
  readonly #longestMs: number;
  #place: Promise<boolean> | undefined;

  /** Begins now. */
  constructor(service: OrderService, seconds: number) {
    this.#service = service;
    this.#sinceMs = service.clock.now();
    this.#longestMs = seconds * 1000;
  }

  /**
   * Pauses before the next read, ever longer.
   * @returns false if the time is up, or too many calls wait: the value read last is the answer.
   */
  async pause(): Promise<boolean> {
    const { clock } = this.#service;
    const waitedMs = clock.now() - this.#sinceMs;
    const leftMs = this.#longestMs - waitedMs;
    if (leftMs <= 0) return false;
    if (waitedMs >= FREE_MS && !(await (this.#place ??= this.#takePlace()))) return false;
    await sleep(clock, Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS + waitedMs, leftMs));
    return true;
  }

  /** A call can always be answered with what was read last, so an unreadable count ends the wait. */
  async #takePlace(): Promise<boolean> {
    const service = this.#service;
    try {
      return await service.orders.takeWaitPlace(service.clock.now(), service.config.MAX_LONG_WAITS);
    } catch (error) {
      if (isInfrastructure(error)) return false;
      throw error;
    }
  }
}
