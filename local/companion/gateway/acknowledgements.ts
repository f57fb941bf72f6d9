import { randomUUID } from 'node:crypto';
import type { Acknowledgement } from '../../../lib/payments/acknowledgement.ts';
import { SIGNATURE_HEADER, signatureOf } from '../../../lib/payments/signatures.ts';
import { type Clock, toTimestamp } from '../../../lib/platform/clock.ts';
import { assertNever } from '../../../lib/platform/errors.ts';
import type { Charge, ChargeLedger } from './charges.ts';
import type { AcknowledgedBy } from './payment-methods.ts';

const SOON_MS = 500;
const FIRST_RETRY_MS = 1000;
const MAX_TRIES = 8;
const ANSWER_TIMEOUT_MS = 5000;

export interface Webhook {
  readonly url: string;
  /** Key that signs the acknowledgements. */
  readonly secret: string;
  /** Time from the capture of `tok_ack_late` to its acknowledgement: longer than any caller waits. */
  readonly ackLateMs: number;
}

/** Event as this gateway sends it; like any, it says more than the service reads. */
export interface GatewayEvent extends Acknowledgement {
  readonly status: 'CAPTURED';
  /** RFC 3339 UTC. */
  readonly occurredAt: string;
}

/** Event of a kind that the service does not know, and that names no payment. */
interface UnknownEvent {
  readonly eventId: string;
  readonly type: string;
}

/** Posts one acknowledgement. @returns true if the answer is a 2xx. */
export type Post = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
) => Promise<boolean>;

export interface AcknowledgementsOptions {
  /** Posts over the network by default. */
  readonly post?: Post;
  /** Makes the last part of an event's id. */
  readonly newId?: () => string;
}

/**
 * Acknowledges charges to the service's webhook, at least once. As payment gateways do, it retries with growing
 * delays until the webhook answers 2xx.
 */
export class Acknowledgements {
  readonly #clock: Clock;
  readonly #webhook: Webhook;
  readonly #post: Post;
  readonly #newId: () => string;
  readonly #stopping = new AbortController();
  readonly #timers = new Set<() => void>();
  readonly #deliveries = new Set<Promise<void>>();

  constructor(clock: Clock, webhook: Webhook, options: AcknowledgementsOptions = {}) {
    this.#clock = clock;
    this.#webhook = webhook;
    this.#post = options.post ?? ((...request) => this.#postOverNetwork(...request));
    this.#newId = options.newId ?? randomUUID;
  }

  /** Plans the acknowledgements of a new charge. Call it once per charge. */
  follow(ledger: ChargeLedger, charge: Charge, by: AcknowledgedBy): void {
    const { afterMs, deliveries } = this.#planOf(by);
    const chargedAtMs = this.#clock.now();
    if (deliveries === 0) return;
    const acknowledge = () => {
      let captured: Charge | undefined;
      try {
        captured = by === 'ONE_UNTRUE' ? charge : ledger.capture(charge.paymentId);
      } catch {
        // The capture was not recorded, so the charge is still pending.
        this.#after(FIRST_RETRY_MS, acknowledge);
        return;
      }
      // A charge that was voided in the meantime is not acknowledged.
      if (captured === undefined) return;
      const capturedAtMs = charge.status === 'CAPTURED' ? chargedAtMs : this.#clock.now();
      const eventId = `evt_${this.#newId()}`;
      const event =
        by === 'ONE_UNKNOWN' ? unknownTo(eventId) : captureOf(eventId, charge, capturedAtMs);
      for (let copy = 0; copy < deliveries; copy += 1) this.#deliver(event, 1);
    };
    this.#after(afterMs, acknowledge);
  }

  /** Stops all deliveries and aborts those on their way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    await Promise.all(this.#deliveries);
  }

  #planOf(by: AcknowledgedBy): { readonly afterMs: number; readonly deliveries: number } {
    switch (by) {
      case 'NOTHING':
        return { afterMs: 0, deliveries: 0 };
      case 'ONE_SOON':
      case 'ONE_UNTRUE':
      case 'ONE_UNKNOWN':
        return { afterMs: SOON_MS, deliveries: 1 };
      case 'TWO_SOON':
        return { afterMs: SOON_MS, deliveries: 2 };
      case 'ONE_LATE':
        return { afterMs: this.#webhook.ackLateMs, deliveries: 1 };
      default:
        return assertNever(by);
    }
  }

  #after(delayMs: number, act: () => void): void {
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(cancel);
      act();
    });
    this.#timers.add(cancel);
  }

  #deliver(event: GatewayEvent | UnknownEvent, tries: number): void {
    const delivery = this.#send(event).then((isTaken) => {
      this.#deliveries.delete(delivery);
      if (isTaken || this.#stopping.signal.aborted || tries === MAX_TRIES) return;
      this.#after(FIRST_RETRY_MS * 2 ** (tries - 1), () => {
        this.#deliver(event, tries + 1);
      });
    });
    this.#deliveries.add(delivery);
  }

  #send(event: GatewayEvent | UnknownEvent): Promise<boolean> {
    const { url, secret } = this.#webhook;
    const body = JSON.stringify(event);
    const headers = {
      'content-type': 'application/json',
      [SIGNATURE_HEADER]: signatureOf(body, [secret], this.#clock.now()),
    };
    return this.#post(url, headers, body);
  }

  async #postOverNetwork(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<boolean> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      // A refused connection or a missing answer counts as a failed delivery.
      return false;
    }
  }
}

function unknownTo(eventId: string): UnknownEvent {
  return { eventId, type: 'settlement.created' };
}

function captureOf(
  eventId: string,
  { paymentId, orderId }: Charge,
  capturedAtMs: number,
): GatewayEvent {
  return {
    eventId,
    type: 'charge.updated',
    paymentId,
    orderId,
    status: 'CAPTURED',
    occurredAt: toTimestamp(capturedAtMs),
  };
}
