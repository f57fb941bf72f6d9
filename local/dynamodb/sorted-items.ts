import type { Item } from './values.ts';

/** Sorted items, no two of which are equal. */
export class SortedItems {
  readonly #order: (left: Item, right: Item) => number;
  readonly #items: Item[] = [];

  constructor(order: (left: Item, right: Item) => number) {
    this.#order = order;
  }

  add(item: Item): void {
    this.#items.splice(this.#positionOf(item), 0, item);
  }

  /** Removes the item that is equal to this one. */
  remove(item: Item): void {
    this.#items.splice(this.#positionOf(item), 1);
  }

  /**
   * The items in this order, or in the opposite one.
   * @param start excluded; only the items behind it follow. It need not be present.
   */
  *from(start: Item | undefined, isForward: boolean): Generator<Item> {
    const step = isForward ? 1 : -1;
    for (
      let index = this.#firstIndex(start, isForward);
      index >= 0 && index < this.#items.length;
      index += step
    ) {
      const item = this.#items[index];
      if (item !== undefined) yield item;
    }
  }

  #firstIndex(start: Item | undefined, isForward: boolean): number {
    if (start === undefined) return isForward ? 0 : this.#items.length - 1;
    const position = this.#positionOf(start);
    if (!isForward) return position - 1;
    const there = this.#items[position];
    return there !== undefined && this.#order(there, start) === 0 ? position + 1 : position;
  }

  /** First position whose item is not less than this one. */
  #positionOf(item: Item): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order(this.#items[middle] ?? item, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
