/**
 * Numbers in [0, 1) that a seed and words decide, each for itself: what is drawn for one thing does
 * not depend on how many others there are, so leaving those out changes nothing of it.
 */
export class Chance {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  of(words: string): number {
    // FNV-1a, then the last mix of murmur3: both are quick, and words that differ little end far apart.
    let hash = (0x811c9dc5 ^ Math.imul(this.#seed, 0x9e3779b1)) >>> 0;
    for (let index = 0; index < words.length; index += 1) {
      hash = Math.imul(hash ^ words.charCodeAt(index), 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both of them too. */
  between(least: number, most: number, words: string): number {
    return least + Math.floor(this.of(words) * (most - least + 1));
  }

  /** Small numbers are as likely as big ones: from 1 to 10 as from 100 to 1000. */
  spread(least: number, most: number, words: string): number {
    return Math.round(least * (most / least) ** this.of(words));
  }

  pick<Item>(items: readonly [Item, ...Item[]], words: string): Item {
    return items[Math.floor(this.of(words) * items.length)] ?? items[0];
  }

  /** Each choice as often as its weight says. */
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
