import { createHash } from 'node:crypto';

/** Random numbers derived from a seed and a name; streams are independent of each other. */
export class RandomStream {
  #state: number;

  constructor(seed: number, name: string) {
    this.#state = createHash('sha256')
      .update(`${String(seed)} ${name}`)
      .digest()
      .readUInt32BE(0);
  }

  /** A number in [0, 1). */
  next(): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An id in the form of a UUID. */
  id(): string {
    const digits = Array.from({ length: 4 }, () =>
      Math.floor(this.next() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('');
    return digits.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
  }
}
