import { expect, onTestFinished, test } from 'vitest';
import { startApiGateway } from '../../../local/stack/api-gateway.ts';

/** An API Gateway before functions that nobody has: it notes what it would have invoked them with. */
async function gatewayWithEvents() {
  const events: { readonly body: unknown }[] = [];
  const gateway = await startApiGateway({
    host: '127.0.0.1',
    port: 0,
    invoke: (_functionKey, event) => {
      events.push(event);
      return Promise.resolve({ statusCode: 204, body: '' });
    },
    service: {
      provider: {
        region: 'eu-central-1',
        stage: 'local',
        timeout: 6,
        memorySize: 256,
        environment: {},
        runtime: 'nodejs24.x',
      },
      params: {},
      functions: {
        placeOrder: {
          name: 'placeOrder',
          handler: 'place.handler',
          events: [{ http: { method: 'post', path: '/order' } }],
        },
      },
      stepFunctions: { stateMachines: { orderSaga: { name: 'orderSaga' } } },
      resources: { Resources: {} },
    },
  });
  onTestFinished(() => gateway.stop());
  return { url: `http://127.0.0.1:${String(gateway.port)}/order`, events };
}

const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

test.each([
  ['false', 'false'],
  ['0', '0'],
  ['true', 'true'],
  ['null', 'null'],
  ['""', '""'],
  ['[]', '[]'],
  ['1e999', '1e999'],
  ['{"items":[]}', '{"items":[]}'],
  ['\uFEFF{"items":[]}', '\uFEFF{"items":[]}'],
  ['{ not JSON', '{ not JSON'],
  [DEEP, DEEP],
  ['', null],
])('a function is handed the text of the body %j, as on AWS', async (sent, body) => {
  const { url, events } = await gatewayWithEvents();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode(sent),
  });
  expect(response.status).toBe(204);
  expect(events.map((event) => event.body)).toEqual([body]);
});
