import { describe, expect, test } from 'vitest';
import { forOrderService } from '../../../../lib/inventory/http/reservation-api.ts';
import { inventoryClient } from '../../../../lib/inventory/inventory-client.ts';
import { readConfig } from '../../../../lib/platform/config.ts';
import type { HttpRequest } from '../../../../lib/platform/http/http-client.ts';
import type { Runtime } from '../../../../lib/platform/lambda/runtime.ts';
import { REQUIRED } from '../platform/environment.ts';
import { installTestRuntime, NOW_SECONDS } from '../platform/test-issuer.ts';

const OLD = 'service-credential-old';
const NEW = 'service-credential-new';

/** Successive values of the parameter, as in docs/secrets.md. */
const STEPS = [OLD, `${OLD},${NEW}`, `${NEW},${OLD}`, NEW] as const;

/** The token that the Order Service sends with this value. */
async function presentedWith(INVENTORY_CREDENTIAL: string): Promise<string> {
  const sent: HttpRequest[] = [];
  const runtime = {
    config: readConfig({ ...REQUIRED, INVENTORY_CREDENTIAL }),
    clock: { now: () => 0, schedule: () => () => undefined },
    aws: { clients: { documents: { send: () => Promise.resolve({}) } } },
    http: (request: HttpRequest) => {
      sent.push(request);
      return Promise.resolve({ status: 404, headers: new Headers(), body: { code: 'NOT_FOUND' } });
    },
  } as unknown as Runtime;
  await inventoryClient(runtime).findReservation({
    orderId: 'o-1',
    correlationId: 'c-1',
    revision: 1,
  });
  return sent[0]?.headers?.['x-service-credential'] ?? '';
}

async function isTaken(client: string, server: string): Promise<boolean> {
  const token = await presentedWith(client);
  installTestRuntime({ jwksUrl: REQUIRED.JWKS_URL }, NOW_SECONDS, { INVENTORY_CREDENTIAL: server });
  return forOrderService.authenticate(token).then(
    () => true,
    () => false,
  );
}

describe('while the service credential is replaced', () => {
  // In each step, some containers have the new value and others still the old one.
  const steps = STEPS.slice(1).map((now, index) => [STEPS[index] ?? '', now] as const);
  test.each(steps)('from %s to %s, every container takes what any other sends', async (...both) => {
    for (const client of both) {
      for (const server of both) expect(await isTaken(client, server)).toBe(true);
    }
  });

  test('a step that is left out would have some refused', async () => {
    expect(await isTaken(NEW, OLD)).toBe(false);
    expect(await isTaken(`${NEW},${OLD}`, OLD)).toBe(false);
    expect(await isTaken(`${OLD},${NEW}`, NEW)).toBe(false);
  });
});
