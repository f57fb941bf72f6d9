import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import { signatureOf } from '../../lib/payments/signatures.ts';
import { databaseCall, inject, refuseConnection, stateMachineCall } from '../support/faults.ts';
import { endHold } from '../support/late.ts';
import { Scene } from '../support/scene.ts';
import { call } from '../support/shop.ts';
import { eventually } from '../support/stack.ts';

const SECRET = 'whsec_correlation_0123';
const DISPATCH_AFTER_MS = 30_000;

const scene = new Scene({
  RESERVATION_TTL_SECONDS: '60',
  SCHEDULE_SECONDS: '3600',
  WEBHOOK_SECRETS: SECRET,
});

interface Line {
  readonly message?: string;
  readonly orderId?: string;
  readonly paymentId?: string;
  readonly correlationId?: string;
  readonly receivedAs?: string;
}

/** Log lines of the handlers, without Lambda's own about a handler that threw. */
function lines(): Line[] {
  return scene.stack
    .logs()
    .map((line) => JSON.parse(line) as Line)
    .filter(({ message }) => message !== undefined && message !== 'Invoke Error');
}

function about(orderId: string): Line[] {
  return lines().filter((line) => line.orderId === orderId);
}

async function placed(correlationId: string): Promise<string> {
  const items = [{ productId: scene.productId, quantity: 1 }];
  const headers = { 'x-correlation-id': correlationId };
  const answer = await scene.user.place(items, { wait: 10, headers });
  expect(answer.summary).toBe('201 PENDING_PAYMENT');
  expect(answer.headers.get('x-correlation-id')).toBe(correlationId);
  return answer.order.orderId;
}

test('the saga of an order, and every line about it, carries the id it was placed with', async () => {
  const orderId = await placed('corr-paid');
  await scene.user.pay(orderId, 'tok_flaky', { wait: 10 });
  await eventually(() => scene.user.expectStatus(orderId, 'PAYMENT_DONE'));

  const client = new SFNClient({
    endpoint: scene.stack.endpoints.stepFunctions,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const machine = scene.stack.orderSagaArn.replace(':stateMachine:', ':execution:');
  const execution = await client.send(
    new DescribeExecutionCommand({ executionArn: `${machine}:${orderId}-1` }),
  );
  client.destroy();
  expect(JSON.parse(execution.input ?? '')).toEqual({
    orderId,
    run: 1,
    correlationId: 'corr-paid',
  });
  expect(about(orderId).length).toBeGreaterThan(3);
  expect(new Set(about(orderId).map(({ correlationId }) => correlationId))).toEqual(
    new Set(['corr-paid']),
  );
});

test('the sweeper knows the id of the order whose reservation it ends', async () => {
  const orderId = await placed('corr-swept');
  await endHold(orderId);
  await scene.stack.runSchedules();
  await eventually(() => {
    expect(about(orderId)).toContainEqual(
      expect.objectContaining({ message: 'ReservationExpired', correlationId: 'corr-swept' }),
    );
  });
});

test('the dispatcher knows the id of what it could not move on', async () => {
  inject(scene.stack, { on: stateMachineCall('StartExecution'), act: refuseConnection });
  const items = [{ productId: scene.productId, quantity: 1 }];
  const headers = { 'x-correlation-id': 'corr-stuck' };
  const { orderId } = (await scene.user.place(items, { headers })).order;
  await scene.stack.clock.advance(DISPATCH_AFTER_MS);
  inject(scene.stack, { on: databaseCall('GetItem', 'orders'), act: refuseConnection });
  await scene.stack.runSchedules();
  expect(about(orderId)).toContainEqual(
    expect.objectContaining({
      message: 'Due work not dispatched; the next round tries again',
      correlationId: 'corr-stuck',
    }),
  );
});

test('a webhook is traced under its own id until it is known what it belongs to', async () => {
  const orderId = await placed('corr-acknowledged');
  const { paymentId } = (await scene.user.pay(orderId, 'tok_ack_lost')).payment;
  const body = JSON.stringify({
    eventId: 'evt_correlation',
    type: 'charge.updated',
    paymentId,
    orderId,
    status: 'CAPTURED',
    occurredAt: new Date(scene.stack.clock.now()).toISOString(),
  });
  const answer = await call(
    scene.stack,
    'POST',
    '/payment/webhook',
    {
      'x-correlation-id': 'corr-webhook',
      'x-gateway-signature': signatureOf(body, [SECRET], scene.stack.clock.now()),
    },
    body,
  );
  expect([answer.status, answer.headers.get('x-correlation-id')]).toEqual([202, 'corr-webhook']);
  await eventually(() => {
    expect(about(orderId)).toContainEqual(
      expect.objectContaining({
        message: 'AcknowledgementHandled',
        correlationId: 'corr-acknowledged',
        receivedAs: 'corr-webhook',
      }),
    );
  });
});
