import type { Clock } from '../../../lib/platform/clock.ts';

/** One message of a queue, wherever it is between being sent and being deleted. */
export interface StoredMessage {
  readonly id: string;
  readonly body: string;
  readonly sentAtMs: number;
  readonly receiveCount: number;
  readonly firstReceivedAtMs?: number;
  /** Of its latest delivery. */
  readonly receiptHandle?: string;
  readonly visibleAtMs: number;
}

/** Where a message goes instead of being received more often than that. */
export interface Redrive {
  /** Asked when it is needed: that queue may be created later. */
  readonly to: () => MessageQueue;
  readonly maxReceives: number;
}

export interface QueueSettings {
  readonly name: string;
  readonly arn: string;
  readonly visibilitySeconds: number;
  readonly redrive: Redrive | undefined;
}

/** A standard queue: at least once, in no order that anyone may count on; here, as they get visible. */
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

  /** Calls back whenever a message can be received that could not before. */
  onVisible(callback: () => void): void {
    this.#onVisible = callback;
  }

  /** In the order they were sent. */
  get messages(): readonly StoredMessage[] {
    return [...this.#messages.values()];
  }

  get hasVisible(): boolean {
    const nowMs = this.#clock.now();
    return this.messages.some(({ visibleAtMs }) => visibleAtMs <= nowMs);
  }

  add(message: Pick<StoredMessage, 'id' | 'body' | 'sentAtMs'>, delayMs: number): void {
    // A queue may hold a message twice: the same to whoever receives it, two to be deleted.
    this.#copies += 1;
    const visibleAtMs = this.#clock.now() + delayMs;
    this.#store(String(this.#copies), { ...message, receiveCount: 0, visibleAtMs });
  }

  /** Hands out up to `count` visible messages, hidden for so long from everybody else. */
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

  /** Only the handle of the latest delivery deletes; an older one changes nothing, as in SQS. */
  delete(receiptHandle: string): void {
    const key = keyOf(receiptHandle);
    if (this.#messages.get(key)?.receiptHandle === receiptHandle) this.#remove(key);
  }

  /** Removes every message, whoever holds it. */
  purge(): void {
    for (const key of this.#messages.keys()) this.#remove(key);
  }

  /** @returns false where the message is not in flight on this handle any more. */
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
