import { beforeAll, describe, expect, test } from 'vitest';
import { runScenario } from '../../torture/run-scenario.ts';
import { SCENARIOS } from '../../torture/scenarios.ts';
import { Shop } from '../../torture/shop.ts';
import type { RecordedEffect } from '../../torture/world/effect-log.ts';
import { createWorld } from '../../torture/world/world.ts';
import { deployedFunctions } from '../contract/deployment.ts';
import { grantedCalls, statements } from './granted-calls.ts';
import { possibleCalls } from './possible-calls.ts';
import { type Calls, recordCalls } from './recorded-calls.ts';

process.env['POWERTOOLS_LOG_LEVEL'] ??= 'SILENT';

const FUNCTIONS = [...deployedFunctions().keys()];

/** Calls that no run of the simulated world can show. */
const NEVER_RECORDED: readonly string[] = [
  // The world's secrets are set directly.
  'ssm:GetParameter INVENTORY_CREDENTIAL_PARAMETER',
  'ssm:GetParameter WEBHOOK_SECRETS_PARAMETER',
  // The idempotency library reads only if a refused write did not return the stored item.
  'dynamodb:GetItem IdempotencyTable',
  // Lambda makes these calls with the function's role.
  ...['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].flatMap((action) => [
    `sqs:${action} CompensationQueue`,
    `sqs:${action} AcknowledgementQueue`,
  ]),
];

let possible: ReadonlyMap<string, ReadonlySet<string>>;
const granted = grantedCalls();
const recorded: Calls = new Map();

/** Records the calls of an act in a world of its own; effects that `cutOff` selects never arrive. */
async function record(
  act: (shop: Shop) => Promise<unknown>,
  cutOff: (effect: RecordedEffect) => boolean = () => false,
): Promise<void> {
  const configuration = { QUEUE_MAX_RECEIVES: '2', RETRY_MAX_ATTEMPTS: '1' };
  const world = await createWorld({ seed: 1, configuration });
  recordCalls(world, recorded);
  world.setInterceptor((effect, proceed) =>
    cutOff(effect) ? Promise.reject(new TypeError('fetch failed')) : proceed(),
  );
  try {
    await act(new Shop(world));
  } finally {
    await world.stop();
  }
}

const MUG = [{ productId: 'prod-mug', quantity: 1 }];
const HALF_AN_HOUR_MS = 1_800_000;

async function payFor(shop: Shop, token: string): Promise<void> {
  await shop.place(MUG);
  await shop.world.advance(1000);
  await shop.pay(token);
  await shop.world.advance(HALF_AN_HOUR_MS);
}

beforeAll(async () => {
  possible = await possibleCalls();
  for (const scenario of SCENARIOS) {
    const act = (shop: Shop) => {
      recordCalls(shop.world, recorded);
      return scenario.act(shop);
    };
    await runScenario({ ...scenario, act }, 1, []);
  }
  await record(async (shop) => {
    await payFor(shop, 'tok_ok');
    const { world, orderId } = shop;
    const [payment] = world.snapshot().payments;
    const call = (method: string, path: string, body?: unknown) =>
      world.call({
        method,
        path,
        body,
        user: 'alice',
        scope: 'products:write',
        headers: { 'idempotency-key': path },
      });
    const product = { productId: 'prod-tea', name: 'Tea', description: 'Green', stock: 1 };
    const unitPrice = { amount: 500, currency: 'EUR' };
    for (const [status, method, path, body] of [
      [200, 'GET', '/order'],
      [200, 'GET', `/order/${orderId}`],
      [200, 'GET', `/payment/${payment?.paymentId ?? ''}`],
      [200, 'GET', '/product'],
      [201, 'POST', '/product', { ...product, unitPrice }],
      [200, 'POST', '/product/prod-tea/stock', { quantity: 1 }],
      // Not stored as the response to its key.
      [409, 'POST', `/order/cancelorder/${orderId}`],
    ] as const) {
      expect(await call(method, path, body), path).toMatchObject({ status });
    }
  });
  const at = (path: string) => (effect: RecordedEffect) =>
    effect.kind === 'http' && effect.target.includes(path);
  await record((shop) => payFor(shop, 'tok_ok'), at('/confirm'));
  await record(
    (shop) => payFor(shop, 'tok_declined'),
    ({ kind, operation }) => kind === 'http' && operation === 'DELETE',
  );
  await record(
    (shop) => payFor(shop, 'tok_async'),
    ({ by, operation }) => by === 'handleAcknowledgement' && operation === 'PutItem',
  );
}, 120_000);

describe.each(FUNCTIONS)('the role of %s', (functionKey) => {
  test('grants every call that its code can make, and no other', () => {
    const calls = [...(possible.get(functionKey) ?? [])];
    expect([...(granted.get(functionKey) ?? [])].sort()).toEqual(calls.sort());
  });

  test('grants what it was seen to do', () => {
    const made = recorded.get(functionKey) ?? new Set<string>();
    expect([...made].filter((call) => granted.get(functionKey)?.has(call) !== true)).toEqual([]);
  });

  test('names every resource that can be named', () => {
    for (const { Effect, Action, Resource } of statements().get(functionKey) ?? []) {
      expect(Effect).toBe('Allow');
      expect(Action.filter((action) => action.includes('*'))).toEqual([]);
      const isNameless = /^(?:xray:\w+|states:SendTaskSuccess)$/;
      if (Resource === '*') expect(Action.filter((action) => !isNameless.test(action))).toEqual([]);
    }
  });
});

test('a function may be invoked through its URL only', () => {
  const invoking = [...statements().values()]
    .flat()
    .filter(({ Action }) => Action.includes('lambda:InvokeFunction'));
  expect(invoking).toHaveLength(9);
  for (const { Action, Condition } of invoking) {
    expect(Action).toEqual(['lambda:InvokeFunction']);
    expect(Condition).toEqual({ Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } });
  }
});

test('every kind of call that is granted was made by somebody, but for what cannot be seen', () => {
  const seen = new Set([...recorded.values()].flatMap((calls) => [...calls]));
  const kinds = new Set([...granted.values()].flatMap((calls) => [...calls]));
  const unseen = [...kinds].filter((call) => !seen.has(call));
  expect(unseen.sort()).toEqual([...NEVER_RECORDED].sort());
});
