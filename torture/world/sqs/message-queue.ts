import type { Clock } from '../../../lib/platform/clock.ts';

/** One message of a queue, from its sending to its deletion. */
export interface StoredMessage {
  readonly id: string;
  readonly body: string;
  readonly sentAtMs: number;
  readonly receiveCount: number;
  readonly firstReceivedAtMs?: number;
  /** Handle of the latest delivery. */
  readonly receiptHandle?: string;
  readonly visibleAtMs: number;
}

/** Dead-letter queue of a queue, and the number of receives before it. */
export interface Redrive {
  /** Called on use, because that queue may be created later. */
  readonly to: () => MessageQueue;
  readonly maxReceives: number;
}

export interface QueueSettings {
  readonly name: string;
  readonly arn: string;
  readonly visibilitySeconds: number;
  readonly redrive: Redrive | undefined;
}

/** A standard queue: at-least-once delivery without a guaranteed order; here, in order of visibility. */
export class MessageQueue {
  readonly settings: QueueSettings;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #messages = new Map<string, StoredMessage>();
  readonly #timers = new Map<string, () => void>();
  #copies = 0;
  #onVisible: () => void = () => undefined;

  constructor(settings: QueueSettings, clock: Clock, newId: () => string) {
    this.settings = settings;
    this.#clock = clock;
    this.#newId = newId;
  }

  /** Calls back each time a message becomes visible. */
  onVisible(callback: () => void): void {
    this.#onVisible = callback;
  }

  /** In the order in which they were sent. */
  get messages(): readonly StoredMessage[] {
    return [...this.#messages.values()];
  }

  get hasVisible(): boolean {
    const nowMs = this.#clock.now();
    return this.messages.some(({ visibleAtMs }) => visibleAtMs <= nowMs);
  }

  add(message: Pick<StoredMessage, 'id' | 'body' | 'sentAtMs'>, delayMs: number): void {
    // A duplicate has the same id for its receiver, but is deleted separately.
    this.#copies += 1;
    const visibleAtMs = this.#clock.now() + delayMs;
    this.#store(String(this.#copies), { ...message, receiveCount: 0, visibleAtMs });
  }

  /** Receives up to `count` visible messages and hides them for `visibilitySeconds`. */
  receive(count: number, visibilitySeconds = this.settings.visibilitySeconds): StoredMessage[] {
    const nowMs = this.#clock.now();
    const received: StoredMessage[] = [];
    for (const [key, message] of this.#inOrderOfVisibility()) {
      if (message.visibleAtMs > nowMs || received.length === count) break;
      const { redrive } = this.settings;
      if (redrive !== undefined && message.receiveCount >= redrive.maxReceives) {
        this.#remove(key);
        redrive.to().add(message, 0);
        continue;
      }
      const delivered = {
        ...message,
        receiveCount: message.receiveCount + 1,
        firstReceivedAtMs: message.firstReceivedAtMs ?? nowMs,
        receiptHandle: `${key}:${this.#newId()}`,
        visibleAtMs: nowMs + visibilitySeconds * 1000,
      };
      this.#store(key, delivered);
      received.push(delivered);
    }
    return received;
  }

  /** Deletes by the handle of the latest delivery; an older handle has no effect, as in SQS. */
  delete(receiptHandle: string): void {
    const key = keyOf(receiptHandle);
    if (this.#messages.get(key)?.receiptHandle === receiptHandle) this.#remove(key);
  }

  /** Removes every message, including those in flight. */
  purge(): void {
    for (const key of this.#messages.keys()) this.#remove(key);
  }

  /** @returns false if the message is no longer in flight on this handle. */
  changeVisibility(receiptHandle: string, visibilitySeconds: number): boolean {
    const key = keyOf(receiptHandle);
    const message = this.#messages.get(key);
    if (message?.receiptHandle !== receiptHandle) return false;
    if (message.visibleAtMs <= this.#clock.now()) return false;
    this.#store(key, { ...message, visibleAtMs: this.#clock.now() + visibilitySeconds * 1000 });
    return true;
  }

  #inOrderOfVisibility(): [string, StoredMessage][] {
    return [...this.#messages].sort(([, a], [, b]) => a.visibleAtMs - b.visibleAtMs);
  }

  #store(key: string, message: StoredMessage): void {
    this.#messages.set(key, message);
    this.#timers.get(key)?.();
    const delayMs = message.visibleAtMs - this.#clock.now();
    if (delayMs > 0) {
      const cancel = this.#clock.schedule(delayMs, () => {
        this.#onVisible();
      });
      this.#timers.set(key, cancel);
    } else {
      this.#onVisible();
    }
  }

  #remove(key: string): void {
    this.#messages.delete(key);
    this.#timers.get(key)?.();
    this.#timers.delete(key);
  }
}

function keyOf(receiptHandle: string): string {
  return receiptHandle.split(':')[0] ?? '';
}
