import { GetExecutionHistoryCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, test } from 'vitest';
import { signatureOf } from '../../lib/payments/signatures.ts';
import { queueClient } from '../../lib/platform/aws/queue-client.ts';
import { currentRuntime } from '../../lib/platform/lambda/runtime.ts';
import {
  answerWith,
  anyGatewayCall,
  anyInventoryCall,
  databaseCall,
  heal,
  httpCall,
  inject,
  loseAnswer,
  refuseConnection,
} from '../support/faults.ts';
import { expectPromisesAtRest, ordersOf, snapshotOf } from '../support/invariants.ts';
import { chargedLate } from '../support/late.ts';
import { Scene } from '../support/scene.ts';
import { Customer, call } from '../support/shop.ts';
import { asTimeGoesOn, eventually, executions } from '../support/stack.ts';

const SECRET = 'whsec_canary_0123456789';
const KEY = 'canary-idempotency-key';

const scene = new Scene({
  RESERVATION_TTL_SECONDS: '7200',
  SCHEDULE_SECONDS: '3600',
  WEBHOOK_SECRETS: SECRET,
});

interface Line {
  readonly message?: string;
  readonly level?: string;
  readonly orderId?: string;
  readonly paymentId?: string;
  readonly [field: string]: unknown;
}

/** The embedded metrics in the log, with their dimensions. */
function metrics(): Record<string, unknown>[] {
  return lines().filter((line) => '_aws' in line);
}

function lines(): Line[] {
  return scene.stack.logs().map((line) => JSON.parse(line) as Line);
}

function told(event: string, about: Readonly<Record<string, unknown>>): Line[] {
  return lines().filter(
    (line) =>
      line.message === event &&
      Object.entries(about).every(([name, value]) => line[name] === value),
  );
}

/** Checks that every logged event of this kind has one metric. */
function expectCounted(event: string): void {
  expect(metrics().filter((metric) => metric[event] === 1)).toHaveLength(told(event, {}).length);
}

const sent: string[] = [];

/** Records all further requests to the queues. */
function listenToQueues(): void {
  const queues: Pick<SQSClient, 'middlewareStack'> = queueClient(currentRuntime().aws);
  queues.middlewareStack.add(
    (next) => (args) => {
      sent.push(JSON.stringify(args.input));
      return next(args);
    },
    { step: 'initialize', name: 'canary' },
  );
}

async function historiesOf(orderId: string): Promise<string> {
  const client = new SFNClient({
    endpoint: scene.stack.endpoints.stepFunctions,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const histories = await Promise.all(
    (await executions(scene.stack, orderId)).map(async ({ executionArn }) => {
      const found = await client.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
      );
      return JSON.stringify(found.events);
    }),
  );
  client.destroy();
  return histories.join('\n');
}

beforeAll(() => {
  listenToQueues();
});

describe('one line and one metric tell of', () => {
  test('every change of an order’s and a payment’s status', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    await scene.user.pay(orderId, 'tok_declined', { wait: 10 });
    await scene.user.retryPayment(orderId, 'tok_ok', { wait: 10 });
    const order = await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));
    const payment = await scene.user.payment(order.paymentId ?? '');
    await eventually(() => {
      expect(
        told('OrderStatusChanged', { orderId }).map(({ from, to, reason }) => [from, to, reason]),
      ).toEqual(order.history.map(({ from, to, reason }) => [from ?? 'NEW', to, reason]));
    });
    expect(
      told('PaymentStatusChanged', { paymentId: payment.paymentId }).map(({ to }) => to),
    ).toEqual(payment.history.map(({ to }) => to));
    expectCounted('OrderStatusChanged');
    expectCounted('PaymentStatusChanged');
    expect(told('CompensationDone', { orderId }).map(({ kind }) => kind)).toEqual(['RELEASE']);
    expectCounted('CompensationDone');
  });

  test('a compensation handed to its queue, and a message that failed', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(scene.stack, {
      on: httpCall('DELETE', '/inventory/reservation/'),
      act: refuseConnection,
    });
    await scene.user.cancel(orderId);
    await asTimeGoesOn(
      scene.stack,
      async () => {
        await scene.stack.pollQueues();
        expect(told('MessageFailed', { orderId })).not.toEqual([]);
      },
      { stepSeconds: 30 },
    );
    expect(told('CompensationRequested', { orderId })).not.toEqual([]);
    expectCounted('CompensationRequested');
    expectCounted('MessageFailed');
  });

  test('a refund, from when it is owed', async () => {
    const { orderId } = await scene.user.reserved(scene.productId);
    inject(
      scene.stack,
      { on: httpCall('POST', '/gateway/charges$'), act: loseAnswer },
      { on: anyGatewayCall, act: refuseConnection },
    );
    const { paymentId } = (await scene.user.pay(orderId, 'tok_ok')).payment;
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'PAYMENT_FAILED'), {
      stepSeconds: 15,
    });
    heal(scene.stack);
    await scene.inTime(async () => {
      expect((await scene.user.payment(paymentId)).status).toBe('REFUNDED');
    });
    expect(told('RefundOwed', { orderId, paymentId }).map(({ reason }) => reason)).toEqual([
      'LATE_CAPTURE',
    ]);
    await eventually(() => {
      expect(told('CompensationDone', { paymentId, kind: 'REFUND' })).not.toEqual([]);
    });
    expectCounted('RefundOwed');
  });

  test('a caller who was refused, and a person who changed a price', async () => {
    const priced = { unitPrice: { amount: 1, currency: 'EUR' } };
    const change = `/product/${scene.productId}`;
    const refused = await scene.user.call('PUT', change, priced);
    expect(refused.status).toBe(403);
    const { userId } = scene.user;
    expect(told('AccessRefused', { userId })).toEqual([
      expect.objectContaining({
        level: 'WARN',
        route: 'PUT /product/{productId}',
        correlationId: refused.headers.get('x-correlation-id'),
        requestId: refused.headers.get('x-correlation-id'),
      }),
    ]);
    expectCounted('AccessRefused');

    const manager = await Customer.of(scene.stack, 'products:write');
    const changed = await manager.call('PUT', change, priced);
    expect(changed.status).toBe(200);
    expect(told('ProductChanged', { userId: manager.userId })).toEqual([
      expect.objectContaining({
        productId: scene.productId,
        to: priced,
        correlationId: changed.headers.get('x-correlation-id'),
      }),
    ]);
    expectCounted('ProductChanged');
  });

  test('a duplicate that was refused', async () => {
    const items = [{ productId: scene.productId, quantity: 1 }];
    const { orderId } = (await scene.user.place(items, { key: KEY })).order;
    expect((await scene.user.place(items)).summary).toBe('409 DUPLICATE_ORDER');
    const other = [{ productId: scene.productId, quantity: 2 }];
    const conflict = await scene.user.place(other, { key: KEY });
    expect(conflict.summary).toBe('422 IDEMPOTENCY_CONFLICT');
    expect(told('DuplicateRefused', { code: 'DUPLICATE_ORDER', orderId })).toHaveLength(1);
    expect(told('DuplicateRefused', { code: 'IDEMPOTENCY_CONFLICT' })).toHaveLength(1);
    expectCounted('DuplicateRefused');
  });

  test('a step that failed, and its dead letter', async () => {
    inject(scene.stack, { on: anyInventoryCall, act: answerWith(500) });
    const items = [{ productId: scene.productId, quantity: 1 }];
    const { orderId } = (await scene.user.place(items)).order;
    await asTimeGoesOn(scene.stack, () => scene.user.expectStatus(orderId, 'ORDER_FAILED'));
    await eventually(() => {
      expect(told('DeadLetterSent', { orderId })).toEqual([
        expect.objectContaining({
          level: 'ERROR',
          step: 'reserve-stock',
          error: 'InventoryOutageBudgetSpent',
          run: 1,
        }),
      ]);
    });
    // The outage, and that it has lasted too long.
    expect(told('StepFailed', { orderId, step: 'reserve-stock' })).toHaveLength(2);
    // It still gives its stock back, which would meet the next test's faults.
    await eventually(async () => {
      const runs = await executions(scene.stack, orderId);
      expect(runs.map(({ status }) => status)).toEqual(['SUCCEEDED']);
    });
    expectCounted('DeadLetterSent');
    expectCounted('StepFailed');
  });
});

test('no token, key, signature or payment method is in a log line, a queue message or a history', async () => {
  const signatures: string[] = [];
  const deliver = (body: string, secret = SECRET) => {
    const signature = signatureOf(body, [secret], scene.stack.clock.now());
    signatures.push(signature, ...signature.split(/[,=]/).filter((part) => part.length > 20));
    return call(
      scene.stack,
      'POST',
      '/payment/webhook',
      { 'x-gateway-signature': signature },
      body,
    );
  };
  const { orderId } = await scene.user.reserved(scene.productId, 1, { key: `${KEY}-order` });
  // Failures are logged, so they are the way for a secret to leak.
  inject(
    scene.stack,
    // The first write begins the payment.
    { on: databaseCall('PutItem', 'orders'), times: 1, act: (proceed) => proceed() },
    { on: databaseCall('PutItem', 'orders'), times: 2, act: refuseConnection },
    { on: httpCall('POST', '/gateway/charges$'), times: 1, act: answerWith(500) },
    chargedLate(orderId),
    { on: httpCall('POST', '/extend$'), times: 1, act: refuseConnection },
    { on: httpCall('POST', '/confirm$'), times: 1, act: answerWith(200, {}, { lines: 'none' }) },
  );
  const pay = { key: `${KEY}-pay` };
  const { paymentId } = (await scene.user.pay(orderId, 'tok_ack_lost', pay)).payment;
  const event = { type: 'charge.updated', paymentId, orderId, status: 'CAPTURED' };
  const occurredAt = new Date(scene.stack.clock.now()).toISOString();
  await asTimeGoesOn(scene.stack, async () => {
    await scene.stack.runSchedules();
    await scene.stack.pollQueues();
    await scene.user.expectStatus(orderId, 'PAYMENT_DONE');
  });
  expect(
    (await deliver(JSON.stringify({ ...event, eventId: 'evt_canary', occurredAt }))).status,
  ).toBe(202);
  expect((await deliver('{"not": "an event"}')).status).toBe(202);
  expect((await deliver('{}', 'whsec_forged_0123456789')).status).toBe(401);
  const forged = `${scene.user.token.slice(0, -6)}forged`;
  expect(
    (await call(scene.stack, 'GET', '/order', { authorization: `Bearer ${forged}` })).status,
  ).toBe(401);
  await eventually(() => {
    expect(told('AcknowledgementHandled', { paymentId })).toHaveLength(1);
  });

  const [header = '', claims = '', signed = ''] = scene.user.token.split('.');
  const canaries = [
    ...[header, claims, signed, forged.slice(-40)],
    ...signatures,
    SECRET,
    'whsec_',
    'tok_',
    KEY,
    scene.stack.environment['INVENTORY_CREDENTIAL'] ?? '',
  ];
  const orders = await Promise.all(
    [...new Set((await snapshotOf(scene.stack)).orders.map(({ userId }) => userId))].map((user) =>
      ordersOf(scene.stack, user),
    ),
  );
  const histories = await Promise.all(orders.flat().map((order) => historiesOf(order.orderId)));
  const places = { log: scene.stack.logs(), queues: sent, histories };
  for (const [place, texts] of Object.entries(places)) {
    expect(texts.length, place).toBeGreaterThan(0);
    for (const canary of canaries) {
      expect(canary.length, canary).toBeGreaterThan(3);
      expect(
        texts.filter((text) => text.includes(canary)).slice(0, 1),
        `${canary} in the ${place}`,
      ).toEqual([]);
    }
  }
});

test('at the end every promise holds', async () => {
  await scene.inTime(() => expectPromisesAtRest(scene.stack));
});
