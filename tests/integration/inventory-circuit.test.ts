import { beforeEach, describe, expect, test } from 'vitest';
import { inventoryClient } from '../../lib/inventory/inventory-client.ts';
import { InventoryCircuitOpen } from '../../lib/inventory/refusals.ts';
import {
  anyInventoryCall,
  type Fault,
  heal,
  httpCall,
  type Injected,
  inject,
  refuseConnection,
  timeOut,
} from '../support/faults.ts';
import { expectPromisesAtRest } from '../support/invariants.ts';
import { Scene } from '../support/scene.ts';
import { chargesOf, stockLine } from '../support/shop.ts';
import { asTimeGoesOn, eventually, executions, messagesIn } from '../support/stack.ts';

const FAILURES = 5;
const PAUSE_SECONDS = 10;

const scene = new Scene({
  CIRCUIT_MIN_CALLS: String(FAILURES),
  CIRCUIT_MIN_ORDERS: '1',
  CIRCUIT_WINDOW_SECONDS: '60',
  INVENTORY_CIRCUIT_PAUSE_SECONDS: String(PAUSE_SECONDS),
  MAX_OPEN_ORDERS_PER_USER: '40',
  RESERVATION_TTL_SECONDS: '7200',
  SCHEDULE_SECONDS: '3600',
});

beforeEach(async () => {
  await closeCircuit();
  await scene.freshProduct();
});

/** Lets the pause of the test before end, and single calls go through until the circuit is closed. */
async function closeCircuit(): Promise<void> {
  await asTimeGoesOn(
    scene.stack,
    async () => {
      const items = [{ productId: scene.productId, quantity: 1 }];
      const headers = { 'x-allow-duplicate': 'true', prefer: 'wait=10' };
      expect((await scene.user.place(items, { headers })).status).toBe(201);
      expect(circuitChanges().at(-1) ?? 'CLOSED').toBe('CLOSED');
    },
    { stepSeconds: 60 },
  );
}

/** Changes of the circuit's state since the call, oldest first. */
function circuitLog(): () => string[] {
  const before = circuitChanges().length;
  return () => circuitChanges().slice(before);
}

function circuitChanges(): string[] {
  const lines = scene.stack.logs().map((line) => JSON.parse(line) as Record<string, unknown>);
  const told = lines.filter(({ message }) => message === 'CircuitChanged');
  expect(lines.filter((line) => line['CircuitChanged'] === 1)).toHaveLength(told.length);
  return told.map(({ to }) => String(to));
}

/** An outage that records the time of every call. */
function outage(act: Fault['act']): { readonly injected: Injected; readonly callsAtMs: number[] } {
  const callsAtMs: number[] = [];
  const injected = inject(scene.stack, {
    on: anyInventoryCall,
    act: (proceed, effect) => {
      callsAtMs.push(scene.stack.clock.now());
      return act(proceed, effect);
    },
  });
  return { injected, callsAtMs };
}

async function place(count: number): Promise<string[]> {
  const orderIds: string[] = [];
  for (let order = 0; order < count; order += 1) {
    const headers = { 'x-allow-duplicate': 'true' };
    const items = [{ productId: scene.productId, quantity: 1 }];
    const placed = await scene.user.place(items, { headers });
    expect(placed.status).toBe(202);
    orderIds.push(placed.order.orderId);
  }
  return orderIds;
}

function lettersOf(orderId: string): Record<string, unknown>[] {
  return messagesIn(scene.stack, 'SagaDeadLetterQueue').filter(
    (message) => message['orderId'] === orderId,
  );
}

describe('an outage of Inventory', () => {
  test('is discovered once, and then single calls find out whether it is over', async () => {
    const log = circuitLog();
    const { callsAtMs } = outage(refuseConnection);
    const orderIds = await place(8);
    await asTimeGoesOn(
      scene.stack,
      () => {
        expect(log()).toContain('OPEN');
        return Promise.resolve();
      },
      { stepSeconds: 1 },
    );
    const untilOpen = callsAtMs.length;
    // Calls that were under way when the circuit opened count too.
    expect(untilOpen).toBeGreaterThanOrEqual(FAILURES);
    expect(untilOpen).toBeLessThanOrEqual(FAILURES + orderIds.length);

    await scene.stack.clock.advance(60_000);
    const probes = callsAtMs.slice(untilOpen);
    expect(probes.length).toBeGreaterThanOrEqual(2);
    for (const [index, atMs] of probes.entries()) {
      const beforeMs = probes[index - 1];
      if (beforeMs !== undefined) expect(atMs - beforeMs).toBeGreaterThanOrEqual(10_000);
    }
    for (const orderId of orderIds) {
      await scene.user.expectStatus(orderId, 'PENDING_RESERVING_STOCK');
    }

    heal(scene.stack);
    await asTimeGoesOn(scene.stack, async () => {
      for (const orderId of orderIds) await scene.user.expectStatus(orderId, 'PENDING_PAYMENT');
    });

    expect(log().slice(0, 3)).toEqual(['OPEN', 'HALF_OPEN', 'OPEN']);
    expect(log().at(-1)).toBe('HALF_OPEN');
    expect(await stockLine(scene.stack, scene.productId)).toBe('2/8/0');
    await scene.freshProduct();
    await closeCircuit();
    expect(log().at(-1)).toBe('CLOSED');
    for (const orderId of orderIds) {
      expect(lettersOf(orderId)).toEqual([]);
      expect(await executions(scene.stack, orderId)).toHaveLength(1);
    }
  });

  test('is known to an instance that has not made a call yet', async () => {
    outage(timeOut);
    const log = circuitLog();
    const [orderId = ''] = await place(1);
    await asTimeGoesOn(scene.stack, () => {
      expect(log()).toContain('OPEN');
      return Promise.resolve();
    });
    const other = inventoryClient(scene.stack.runtime({ clock: scene.stack.clock }));
    const of = { orderId, correlationId: 'other', revision: 1 };
    const refused = await other.findReservation(of).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InventoryCircuitOpen);
    heal(scene.stack);
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PENDING_PAYMENT'));
  });

  test('that lasts longer than the budget fails the order, with a dead letter', async () => {
    outage(refuseConnection);
    const [orderId = ''] = await place(1);
    const order = await asTimeGoesOn(scene.stack, () =>
      scene.user.expectStatus(orderId, 'ORDER_FAILED'),
    );
    expect(order.reason).toBe('INVENTORY_UNAVAILABLE');
    await eventually(() => {
      expect(lettersOf(orderId)).toEqual([
        expect.objectContaining({ step: 'reserve-stock', error: 'InventoryOutageBudgetSpent' }),
      ]);
    });
    const waitedMs =
      Date.parse(order.history.at(-1)?.at ?? '') - Date.parse(order.history[0]?.at ?? '');
    expect(waitedMs).toBeGreaterThanOrEqual(110_000);
  });

  test('is told to the user who changes an order then, with when to come back', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await scene.user.pay(orderId, 'tok_declined');
    await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'));
    inject(scene.stack, { on: httpCall('GET', '/product/'), act: refuseConnection });
    const change = () => scene.user.modify(orderId, [{ productId: scene.productId, quantity: 2 }]);
    for (let failure = 0; failure < FAILURES; failure += 1) {
      expect((await change()).summary).toBe('503 INVENTORY_UNAVAILABLE');
    }
    heal(scene.stack);
    const refused = await change();
    expect(refused.summary).toBe('503 INVENTORY_UNAVAILABLE');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    await scene.stack.clock.advance(PAUSE_SECONDS * 1000);
    expect((await change()).status).toBe(200);
  });

  test('between capture and confirmation is waited out, and the order is paid once', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(scene.stack, { on: httpCall('POST', '/confirm$'), act: refuseConnection });
    const log = circuitLog();
    await scene.user.pay(orderId, 'tok_ok');
    await asTimeGoesOn(scene.stack, () => {
      expect(log()).toContain('OPEN');
      return Promise.resolve();
    });
    await scene.user.expectStatus(orderId, 'PAYMENT_IN_PROGRESS');
    heal(scene.stack);
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    expect((await chargesOf(scene.stack, orderId)).map(({ status }) => status)).toEqual([
      'CAPTURED',
    ]);
    expect(await stockLine(scene.stack, scene.productId)).toBe('9/0/1');
  });
});

test('at the end every promise holds', async () => {
  await scene.stack.runSchedules();
  await scene.inTime(() => expectPromisesAtRest(scene.stack));
});
