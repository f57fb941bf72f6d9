import { type Interceptor, passThrough } from '../../../lib/platform/effects.ts';
import type { HttpRequest } from '../../../lib/platform/http/http-client.ts';
import { installRuntime } from '../../../lib/platform/lambda/runtime.ts';
import { eventsOf } from '../../../local/stack/service-definition.ts';
import type { Parts } from '../../../torture/world/parts.ts';
import { createRuntime } from '../../../torture/world/parts.ts';
import {
  API_URL,
  GATEWAY_URL,
  INVENTORY_URL,
  QUEUES_URL,
} from '../../../torture/world/settings.ts';
import { createWorld, type World } from '../../../torture/world/world.ts';
import { runtimesBeside } from '../runtimes-beside.ts';
import { embeddedOnly } from '../target.ts';
import type { TestStack } from '../test-stack.ts';
import { Pace } from './pace.ts';

const COMPANION_URL = new URL(GATEWAY_URL).origin;
const LOGS_ARE_SILENT = 'the log is read';

/** The pace of the simulated stack in this process. */
let pace: Pace | undefined;

/** The pace of the running simulated stack; undefined on another stack. */
export function currentPace(): Pace | undefined {
  return pace;
}

/**
 * Starts the simulated world (docs/correctness.md) behind the interface of the embedded stack. The handlers
 * and the state machine are the same, without network, other processes or real time. Time passes only while a
 * test waits for it. Meanwhile, the process's `fetch` reaches the API, Inventory and the gateway
 * simulator.
 * @param configuration settings that differ from the defaults.
 */
export async function startSimulatedStack(
  configuration: Readonly<Record<string, string>>,
): Promise<TestStack> {
  const world = await createWorld({ seed: 1, configuration });
  const { parts } = world;
  const ownPace = new Pace(world);
  pace = ownPace;
  let intercept: Interceptor = passThrough;
  // A handler that a test calls directly meets the test's faults too.
  const runtime = {
    ...world.runtime,
    ...createRuntime(parts, {
      intercept: (effect, proceed) =>
        world.caller() === undefined
          ? intercept(effect, proceed)
          : parts.foundation.effects.intercept(effect, proceed),
    }),
  };
  installRuntime(runtime);
  const restoreFetch = replaceFetch(world, ownPace);
  const { service, storage, config } = parts;
  const scheduled = eventsOf(service, 'schedule').map(({ key }) => key);

  return {
    apiUrl: API_URL,
    companionUrl: COMPANION_URL,
    endpoints: {
      dynamodb: 'http://dynamodb.world',
      queues: QUEUES_URL,
      stepFunctions: 'http://states.world',
    },
    clock: {
      now: () => world.clock.now(),
      schedule: (delayMs, callback) => world.clock.schedule(delayMs, callback),
      advance: (ms) => ownPace.advance(ms),
      skip: (ms) => {
        world.clock.moveTo(world.clock.now() + ms);
      },
      settle: () => ownPace.advance(0),
    },
    queues: { inspectQueue: (name) => inspectQueue(parts, name) },
    tableNames: namesOf(parts, 'AWS::DynamoDB::Table', 'TableName'),
    queueUrls: storage.queueUrls,
    orderSagaArn: config.ORDER_SAGA_ARN,
    environment: parts.environment,
    runtime: runtimesBeside((overrides) => createRuntime(parts, overrides)),
    mintToken: (user, scope) => Promise.resolve(world.issueToken(user, scope)),
    setInterceptor: (replacement) => {
      intercept = replacement;
      world.setInterceptor(replacement);
    },
    setAdmission: (admission) => {
      world.setAdmission(admission);
    },
    runSchedules: async () => {
      await ownPace.during(() => Promise.allSettled(scheduled.map((key) => world.invoke(key, {}))));
    },
    // The world delivers messages as soon as they are visible.
    pollQueues: async () => {
      await ownPace.advance(0);
      return 0;
    },
    logs: () => embeddedOnly(LOGS_ARE_SILENT),
    stop: async () => {
      pace = undefined;
      restoreFetch();
      await ownPace.stop();
      await world.stop();
    },
  };
}

/** Routes requests for the world's hosts to it; all others use the network. */
function replaceFetch(world: World, ownPace: Pace): () => void {
  const before = globalThis.fetch;
  globalThis.fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const request = {
      method: (init.method ?? 'GET') as HttpRequest['method'],
      headers: Object.fromEntries(new Headers(init.headers)),
      body: init.body ?? undefined,
    };
    const { api, inventory, gateway } = world.parts;
    const path = `${url.pathname}${url.search}`;
    const called = { [API_URL]: api, [INVENTORY_URL]: inventory }[url.origin];
    if (called !== undefined) {
      const { statusCode, headers, body } = await ownPace.during(() =>
        called.respond({ ...request, path }),
      );
      return new Response(isBodiless(statusCode) ? null : body, {
        status: statusCode,
        headers: headers as Record<string, string>,
      });
    }
    if (url.href.startsWith(COMPANION_URL)) {
      const body = typeof request.body === 'string' ? (JSON.parse(request.body) as object) : {};
      const answer = await ownPace.during(() =>
        gateway.call({ ...request, body, url: url.href, timeoutMs: Infinity }),
      );
      const text = isBodiless(answer.status) ? null : JSON.stringify(answer.body);
      return new Response(text, { status: answer.status, headers: answer.headers });
    }
    return before(input, init);
  };
  return () => {
    globalThis.fetch = before;
  };
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

function inspectQueue({ storage, foundation }: Parts, name: string) {
  const nowMs = foundation.clock.now();
  const messages = storage.sqs.queue(name).messages;
  const isInFlight = ({ visibleAtMs, receiveCount }: (typeof messages)[number]) =>
    visibleAtMs > nowMs && receiveCount > 0;
  return {
    messages: {
      ready: messages.filter(({ visibleAtMs }) => visibleAtMs <= nowMs),
      delayed: messages.filter((message) => message.visibleAtMs > nowMs && !isInFlight(message)),
      inflight: messages.filter(isInFlight).map((message) => ({ message })),
    },
  };
}

function namesOf({ service }: Parts, type: string, property: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(service.resources.Resources)
      .filter(([, { Type }]) => Type === type)
      .map(([logicalId, { Properties }]) => [logicalId, String(Properties[property])]),
  );
}
