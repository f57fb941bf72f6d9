import { AsyncResource } from 'node:async_hooks';
import { EffectLog } from './effect-log.ts';
import { RandomStream } from './random-stream.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What every part of a world stands on. */
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

  /** Random numbers of the world for one purpose. */
  random(purpose: string): RandomStream {
    return new RandomStream(this.#seed, purpose);
  }

  readonly newId = (): string => this.#ids.id();

  /** Runs what it is given as if nobody had called for it, however deep in a handler. */
  readonly detached = <Result>(work: () => Result): Result => this.#outside.runInAsyncScope(work);

  /** Something went wrong in the world itself, and not in what is tried out in it. */
  readonly onDefect = (error: unknown): void => {
    this.#defects.push(error);
  };

  /** @throws the first defect that nobody was told of yet, if there is one. */
  throwDefect(): void {
    const untold = this.#defects.splice(0);
    if (untold.length > 0) throw untold[0];
  }

  /** Nothing new happens any more: no effect, no timer. */
  freeze(): void {
    this.effects.close();
    this.clock.stop();
  }

  onEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  /** Ends what was begun, the last first. */
  end(): void {
    this.freeze();
    for (const ending of this.#endings.splice(0).reverse()) ending();
  }
}
