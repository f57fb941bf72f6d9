import type { FaultMode } from './fault-modes.ts';

/** The active fault, and the number of calls it has hit. */
export interface SetFault {
  readonly mode: FaultMode;
  /** Number of calls to hit; null: every call until the fault is removed. */
  readonly times: number | null;
  readonly struck: number;
}

/** Holds the fault between orders and inventory, of which there is at most one. */
export class InventoryFaults {
  #fault: SetFault | undefined;

  /** The last fault set. It stays after its last hit, so that a test can read how often it hit. */
  get current(): SetFault | undefined {
    return this.#fault;
  }

  /** Replaces an earlier fault. */
  set(mode: FaultMode, times: number | null): void {
    this.#fault = { mode, times, struck: 0 };
  }

  clear(): void {
    this.#fault = undefined;
  }

  /** Counts one call. @returns the fault that hits it; undefined if there is none. */
  strike(): FaultMode | undefined {
    const fault = this.#fault;
    if (fault === undefined || fault.struck === fault.times) return undefined;
    this.#fault = { ...fault, struck: fault.struck + 1 };
    return fault.mode;
  }
}
