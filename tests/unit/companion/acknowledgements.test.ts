import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isSigned } from '../../../lib/payments/signatures.ts';
import type { GatewayEvent } from '../../../local/companion/gateway/acknowledgements.ts';
import type { Companion } from '../../../local/companion/server.ts';
import { TravelClock } from '../../../local/stack/travel-clock.ts';
import { startTestCompanion, TestPayment } from './support.ts';

const SECRET = 'whsec_0123456789abcdef';
const ACK_LATE_MS = 185_000;

interface Delivery {
  readonly body: string;
  readonly atMs: number;
  readonly isSigned: boolean;
}

let clock: TravelClock;
let receiver: Server;
let companion: Companion;
let deliveries: Delivery[];
/** Statuses that the service answers to successive deliveries; the last one repeats, 0 hangs up. */
let answers: number[];

beforeEach(async () => {
  deliveries = [];
  answers = [202];
  clock = new TravelClock();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const header = request.headers['x-gateway-signature'];
      deliveries.push({
        body,
        atMs: clock.now(),
        isSigned: isSigned(body, String(header), [SECRET], clock.now()),
      });
      const status = answers.length > 1 ? answers.shift() : answers[0];
      if (status === 0) response.destroy();
      else response.writeHead(status ?? 500).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/hook`;
  const webhook = { url, secret: SECRET, ackLateMs: ACK_LATE_MS };
  companion = await startTestCompanion({ clock, webhook });
  holdTimeDuringDeliveries();
});

/** Longer than a delivery takes on a busy machine; only the last of many tries needs it all. */
const LONGEST_DELIVERY_MS = 2000;

/**
 * Deliveries use real HTTP. The clock therefore stands still from the timer that begins a delivery until the
 * service has accepted it, or the next try is scheduled.
 */
function holdTimeDuringDeliveries(): void {
  const schedule = clock.schedule.bind(clock);
  let underWay = 0;
  clock.schedule = (delayMs, callback) => {
    underWay = 0;
    return schedule(delayMs, () => {
      underWay += 1;
      callback();
    });
  };
  receiver.on('request', (_request, response) => {
    response.on('finish', () => {
      if (response.statusCode === 202) underWay = 0;
    });
  });
  clock.settle = () =>
    vi
      .waitUntil(() => underWay === 0, { timeout: LONGEST_DELIVERY_MS, interval: 2 })
      .catch(() => {
        underWay = 0;
      });
}

afterEach(async () => {
  await companion.stop();
  clock.stop();
  receiver.close();
  receiver.closeAllConnections();
});

async function arrived(count: number): Promise<void> {
  await vi.waitFor(() => {
    expect(deliveries).toHaveLength(count);
  });
}

describe('the acknowledgement of', () => {
  it('tok_async comes within a second, signed, and says what a query says', async () => {
    const payment = new TestPayment(companion);
    await payment.charge('tok_async');
    await clock.advance(1000);
    await arrived(1);
    expect(deliveries[0]?.isSigned).toBe(true);
    expect(JSON.parse(deliveries[0]?.body ?? '')).toEqual({
      eventId: expect.stringMatching(/^evt_/) as unknown,
      type: 'charge.updated',
      paymentId: payment.paymentId,
      orderId: payment.orderId,
      status: 'CAPTURED',
      occurredAt: expect.any(String) as unknown,
    });
    expect((await payment.query()).body).toMatchObject({ status: 'CAPTURED' });
    expect((await payment.charge('tok_async')).body).toMatchObject({ status: 'CAPTURED' });
    await clock.advance(600_000);
    expect(deliveries).toHaveLength(1);
  });

  it('tok_ack_twice comes two times with one event id', async () => {
    await new TestPayment(companion).charge('tok_ack_twice');
    await clock.advance(1000);
    await arrived(2);
    expect(deliveries.map((delivery) => delivery.isSigned)).toEqual([true, true]);
    expect(deliveries[0]?.body).toBe(deliveries[1]?.body);
  });

  it('tok_ack_late comes after the time-out, even when it was refunded by then', async () => {
    const payment = new TestPayment(companion);
    const chargedAtMs = clock.now();
    await expect(payment.charge('tok_ack_late')).rejects.toThrow('fetch failed');
    await clock.advance(ACK_LATE_MS - 2000);
    expect(deliveries).toEqual([]);
    await payment.refund();
    await clock.advance(4000);
    await arrived(1);
    const event = JSON.parse(deliveries[0]?.body ?? '') as GatewayEvent;
    expect(event.status).toBe('CAPTURED');
    expect(Math.abs(Date.parse(event.occurredAt) - chargedAtMs)).toBeLessThan(2000);
    expect((await payment.query()).body).toMatchObject({ status: 'REFUNDED' });
  });

  it('a payment voided in time never comes', async () => {
    const payment = new TestPayment(companion);
    await payment.charge('tok_async');
    await payment.void();
    await clock.advance(600_000);
    expect(deliveries).toEqual([]);
    expect((await payment.query()).body).toMatchObject({ status: 'VOIDED' });
  });

  it.each([['tok_ok'], ['tok_declined'], ['tok_never_captured'], ['tok_ack_lost']])(
    '%s never comes',
    async (token) => {
      await new TestPayment(companion).charge(token).catch(() => undefined);
      await clock.advance(600_000);
      expect(deliveries).toEqual([]);
    },
  );

  it('a charge that is repeated comes once', async () => {
    const payment = new TestPayment(companion);
    await Promise.all([1, 2, 3, 4].map(() => payment.charge('tok_async')));
    await clock.advance(5000);
    expect(deliveries).toHaveLength(1);
  });
});

describe('a delivery that is not taken', () => {
  it('is tried again with growing pauses and a fresh signature until it is', async () => {
    answers = [503, 0, 401, 500, 202];
    await new TestPayment(companion).charge('tok_async');
    await clock.advance(60_000);
    await arrived(5);
    expect(deliveries.every((delivery) => delivery.isSigned)).toBe(true);
    expect(new Set(deliveries.map(({ body }) => body)).size).toBe(1);
    const pauses = deliveries
      .slice(1)
      .map(({ atMs }, index) => atMs - (deliveries[index]?.atMs ?? 0));
    expect(pauses).toEqual([1000, 2000, 4000, 8000]);
  });

  it('is given up after eight tries', async () => {
    answers = [500];
    await new TestPayment(companion).charge('tok_async');
    await clock.advance(3_600_000);
    await arrived(8);
  });

  it('is not tried again after the companion has stopped', async () => {
    answers = [500];
    await new TestPayment(companion).charge('tok_async');
    await clock.advance(1000);
    await arrived(1);
    await companion.stop();
    await clock.advance(3_600_000);
    expect(deliveries).toHaveLength(1);
  });
});

it('stops at once while an acknowledgement waits, or waits for its answer', async () => {
  receiver.removeAllListeners('request');
  const asked = once(receiver, 'request');
  await new TestPayment(companion).charge('tok_async');
  await clock.advance(600);
  await asked;
  await new TestPayment(companion).charge('tok_async');
  await companion.stop();
  await clock.advance(600_000);
  expect(deliveries).toEqual([]);
});
