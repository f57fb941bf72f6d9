import type { Clock } from '../../../lib/platform/clock.ts';
import { callsPerSecond } from './calls-per-second.ts';
import type { FaultMode } from './fault-modes.ts';

/** The active fault, and the number of calls it has hit. */
export interface SetFault {
  readonly mode: FaultMode;
  /** Number of calls to hit; null: every call until the fault is removed. */
  readonly times: number | null;
  /** Number of calls in each second that it leaves alone; default: none. */
  readonly callsPerSecond?: number | undefined;
  readonly struck: number;
}

/** Holds the fault between orders and inventory, of which there is at most one. */
export class InventoryFaults {
  readonly #callsThisSecond: () => number;
  #fault: SetFault | undefined;

  constructor(clock: Clock) {
    this.#callsThisSecond = callsPerSecond(clock);
  }

  /** The last fault set. It stays after its last hit, so that a test can read how often it hit. */
  get current(): SetFault | undefined {
    return this.#fault;
  }

  /** Replaces an earlier fault. */
  set(fault: Omit<SetFault, 'struck'>): void {
    this.#fault = { ...fault, struck: 0 };
  }

  clear(): void {
    this.#fault = undefined;
  }

  /** Counts one call. @returns the fault that hits it; undefined if there is none. */
  strike(): FaultMode | undefined {
    const fault = this.#fault;
    if (fault === undefined || fault.struck === fault.times) return undefined;
    if (this.#callsThisSecond() <= (fault.callsPerSecond ?? 0)) return undefined;
    this.#fault = { ...fault, struck: fault.struck + 1 };
    return fault.mode;
  }
}
