import type { HttpResponse } from '../lib/platform/http/http-client.ts';
import type { CarriedOut } from '../local/dynamodb/memory-dynamodb.ts';
import type { RecordedEffect, WorldInterceptor } from './world/effect-log.ts';
import { INVENTORY_URL } from './world/settings.ts';
import type { World } from './world/world.ts';

/** By hand, of the default configuration: failures of this time and the delays of strikes open a circuit. */
const RECENT_MS = 10_000 + 60_000;

interface Failure {
  readonly about: string;
  readonly atMs: number;
}

/**
 * The state of Inventory as its callers can see it. P8: a circuit opens only where Inventory was out for so many
 * orders. A 4xx is an answer to one call, and a 429 comes from a service that works.
 */
export class Outages {
  readonly #minOrders: number;
  readonly #now: () => number;
  readonly #failures: Failure[] = [];

  /** @param minOrders the orders of which calls have to fail. */
  constructor(minOrders: number, now: () => number) {
    this.#minOrders = minOrders;
    this.#now = now;
  }

  /** Takes note of calls without an answer, and of those answered with a 5xx. */
  watching(intercept: WorldInterceptor): WorldInterceptor {
    return async (effect, proceed) => {
      if (!effect.target.startsWith(INVENTORY_URL)) return intercept(effect, proceed);
      try {
        const result = await intercept(effect, proceed);
        if ((result as HttpResponse).status >= 500) this.#failed(effect);
        return result;
      } catch (error) {
        this.#failed(effect);
        throw error;
      }
    };
  }

  /** Checks the writes of one transaction. */
  brokenCircuits(writes: readonly CarriedOut[]): string[] {
    const isOpened = writes.some(
      ({ before, after }) =>
        after?.['type']?.S === 'CIRCUIT' &&
        after['status']?.S === 'OPEN' &&
        (before === undefined || before['status']?.S === 'CLOSED'),
    );
    const sinceMs = this.#now() - RECENT_MS;
    const failed = new Set(
      this.#failures.filter(({ atMs }) => atMs >= sinceMs).map(({ about }) => about),
    );
    return isOpened && failed.size < this.#minOrders
      ? [`P8: the circuit opens, and calls of ${String(failed.size)} orders have failed`]
      : [];
  }

  #failed({ target }: RecordedEffect): void {
    const [about = target] = /ord_\w+/.exec(target) ?? [];
    this.#failures.push({ about, atMs: this.#now() });
  }
}

/** The outages of a world, from now on. */
export function outagesOf({ runtime, clock }: Pick<World, 'runtime' | 'clock'>): Outages {
  return new Outages(runtime.config.CIRCUIT_MIN_ORDERS, () => clock.now());
}
