import { AsyncResource } from 'node:async_hooks';
import { EffectLog } from './effect-log.ts';
import { RandomStream } from './random-stream.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Clock, randomness and defects: the base of every part of a world. */
export class Foundation {
  readonly clock = new VirtualClock();
  readonly effects = new EffectLog(() => this.clock.now());
  readonly #seed: number;
  readonly #ids: RandomStream;
  readonly #outside = new AsyncResource('World');
  readonly #defects: unknown[] = [];
  readonly #endings: (() => void)[] = [];

  constructor(seed: number) {
    this.#seed = seed;
    this.#ids = this.random('ids');
  }

  /** A stream of random numbers for one purpose. */
  random(purpose: string): RandomStream {
    return new RandomStream(this.#seed, purpose);
  }

  readonly newId = (): string => this.#ids.id();

  /** Runs a function outside the async context of the calling handler. */
  readonly detached = <Result>(work: () => Result): Result => this.#outside.runInAsyncScope(work);

  /** Records an error in the world itself, as opposed to the code under test. */
  readonly onDefect = (error: unknown): void => {
    this.#defects.push(error);
  };

  /** @throws the first defect that was not reported yet, if there is one. */
  throwDefect(): void {
    const untold = this.#defects.splice(0);
    if (untold.length > 0) throw untold[0];
  }

  /** Stops all further effects and timers. */
  freeze(): void {
    this.effects.close();
    this.clock.stop();
  }

  onEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  /** Undoes the set-up, last step first. */
  end(): void {
    this.freeze();
    for (const ending of this.#endings.splice(0).reverse()) ending();
  }
}
