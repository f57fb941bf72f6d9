const MS_PER_SECOND = 1000;

interface Bucket {
  readonly units: number;
  readonly atMs: number;
}

/**
 * Write units that each item may still take: a token bucket per item. It starts full, holds the units of one
 * second and refills evenly.
 */
export class WriteThroughput {
  readonly #unitsPerSecond: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param now milliseconds since the epoch. */
  constructor(unitsPerSecond: number, now: () => number) {
    this.#unitsPerSecond = unitsPerSecond;
    this.#now = now;
  }

  has(item: string, units: number): boolean {
    return this.#left(item) >= units;
  }

  take(item: string, units: number): void {
    this.#buckets.set(item, { units: this.#left(item) - units, atMs: this.#now() });
  }

  #left(item: string): number {
    const bucket = this.#buckets.get(item);
    if (bucket === undefined) return this.#unitsPerSecond;
    const gained = ((this.#now() - bucket.atMs) * this.#unitsPerSecond) / MS_PER_SECOND;
    return Math.min(this.#unitsPerSecond, bucket.units + gained);
  }
}
