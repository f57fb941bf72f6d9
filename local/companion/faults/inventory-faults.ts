import type { FaultMode } from './fault-modes.ts';

/** The fault that is set, and how often it has struck since. */
export interface SetFault {
  readonly mode: FaultMode;
  /** How many calls it meets; null: every one, until it is taken away. */
  readonly times: number | null;
  readonly struck: number;
}

/** The one fault between orders and inventory; none to begin with. */
export class InventoryFaults {
  #fault: SetFault | undefined;

  /** Stays after its last strike, so that it can be asked how often it struck. */
  get current(): SetFault | undefined {
    return this.#fault;
  }

  /** Takes the place of an earlier fault. */
  set(mode: FaultMode, times: number | null): void {
    this.#fault = { mode, times, struck: 0 };
  }

  clear(): void {
    this.#fault = undefined;
  }

  /** To be called once for each call: what strikes it; undefined where none is set or left. */
  strike(): FaultMode | undefined {
    const fault = this.#fault;
    if (fault === undefined || fault.struck === fault.times) return undefined;
    this.#fault = { ...fault, struck: fault.struck + 1 };
    return fault.mode;
  }
}
