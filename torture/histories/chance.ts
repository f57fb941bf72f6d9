/**
 * Numbers in [0, 1), each derived from the seed and its own words. Removing one draw leaves all the others
 * unchanged.
 */
export class Chance {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  of(words: string): number {
    // FNV-1a, then murmur3's finaliser: both are fast, and similar words get unrelated numbers.
    let hash = (0x811c9dc5 ^ Math.imul(this.#seed, 0x9e3779b1)) >>> 0;
    for (let index = 0; index < words.length; index += 1) {
      hash = Math.imul(hash ^ words.charCodeAt(index), 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, inclusive. */
  between(least: number, most: number, words: string): number {
    return least + Math.floor(this.of(words) * (most - least + 1));
  }

  /** A whole number, log-uniform: 1 to 10 is as likely as 100 to 1000. */
  spread(least: number, most: number, words: string): number {
    return Math.round(least * (most / least) ** this.of(words));
  }

  pick<Item>(items: readonly [Item, ...Item[]], words: string): Item {
    return items[Math.floor(this.of(words) * items.length)] ?? items[0];
  }

  /** Picks a choice with a probability proportional to its weight. */
  weighted<Choice extends string>(
    weights: Readonly<Record<Choice, number>>,
    words: string,
  ): Choice {
    const entries = Object.entries<number>(weights) as [Choice, number][];
    const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
    let left = this.of(words) * total;
    for (const [choice, weight] of entries) {
      left -= weight;
      if (left < 0) return choice;
    }
    throw new Error(`There is nothing to choose from for ${words}.`);
  }
}
