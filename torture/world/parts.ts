import { createAwsAccess, type RequestHandler } from '../../lib/platform/aws/aws-access.ts';
import { type Config, readConfig } from '../../lib/platform/config.ts';
import type { Runtime, RuntimeOverrides } from '../../lib/platform/lambda/runtime.ts';
import type { WriteListener } from '../../local/dynamodb/memory-dynamodb.ts';
import { ACCOUNT_ID } from '../../local/stack/resources.ts';
import type { ServiceDefinition } from '../../local/stack/service-definition.ts';
import { orderSaga } from '../../local/stack/stack-parts.ts';
import { createStepFunctions, type StepFunctions } from '../../local/step-functions/service.ts';
import { ORDER_SAGA } from '../../statemachines/order-saga.ts';
import { renderStateMachine } from '../../statemachines/render-state-machine.ts';
import { Api } from './api.ts';
import { inMemoryRequestHandler } from './aws/request-handler.ts';
import type { Foundation } from './foundation.ts';
import { DIRECTORY, Functions } from './functions.ts';
import { Gateway } from './gateway.ts';
import type { Delivery } from './memory-sqs.ts';
import { networkClient } from './network.ts';
import { overrideGlobals } from './process-globals.ts';
import { environmentOf, GATEWAY_URL, INVENTORY_URL, libraryEnvironment } from './settings.ts';
import { createStorage, type Storage } from './storage.ts';

export interface PartsOptions {
  /** Functions that run at the same time; without it, there is no limit. */
  readonly concurrency?: number | undefined;
  readonly configuration?: Readonly<Record<string, string>>;
  readonly delivery?: Delivery;
  readonly onWrite?: WriteListener;
}

/** The components of a world, before any of them runs. */
export interface Parts {
  readonly service: ServiceDefinition;
  readonly foundation: Foundation;
  /** Environment of the handlers. */
  readonly environment: Readonly<Record<string, string>>;
  readonly config: Config;
  readonly storage: Storage;
  readonly functions: Functions;
  readonly api: Api;
  /** The Inventory Service, for the Order Service. */
  readonly inventory: Api;
  readonly gateway: Gateway;
  readonly stepFunctions: StepFunctions;
  /** Carries the SDK's requests to this world's services. */
  readonly requestHandler: RequestHandler;
}

/** Takes the place of a signature: making one would take real time, and no host here verifies it. */
const UNCHECKED_SIGNATURE = { authorization: 'AWS4-HMAC-SHA256 of the world' };

/** Delay of a late acknowledgement after the service's time-out. */
const ACK_LATE_BY_MS = 5000;

/**
 * Creates the parts, and overrides the globals that libraries read.
 * @throws ConfigurationError for a bad setting.
 */
export async function createParts(
  {
    configuration = {},
    delivery = () => [0],
    onWrite = () => undefined,
    concurrency,
  }: PartsOptions,
  service: ServiceDefinition,
  foundation: Foundation,
): Promise<Parts> {
  const { clock, detached, onDefect } = foundation;
  const storage = createStorage(service, foundation, delivery, onWrite);
  const environment = environmentOf(service, storage.values, configuration);
  const config = readConfig(environment);
  const functions = new Functions(service, { clock, effects: foundation.effects, concurrency });
  const api = Api.publicApi(service, functions.invoke);
  const inventory = Api.inventoryUrl(service, functions.invoke);
  const stepFunctions = createStepFunctions({
    clock,
    region: service.provider.region,
    accountId: ACCOUNT_ID,
    invoke: functions.invoke,
    stateMachines: [
      // The deployed file is made from this table, which a mutant may change.
      await orderSaga(
        { directory: DIRECTORY, service, values: storage.values },
        config,
        renderStateMachine(ORDER_SAGA),
      ),
    ],
    newToken: foundation.newId,
  });
  foundation.onEnd(() => {
    stepFunctions.stop();
  });
  const services = {
    DynamoDB_20120810: storage.dynamo.operations,
    AmazonSQS: storage.sqs.operations,
    AWSStepFunctions: stepFunctions.operations,
  };
  const requestHandler = inMemoryRequestHandler({
    services,
    detached: (operation) => foundation.effects.carryOut(() => detached(operation)),
    onDefect,
  });
  const gateway = createGateway(foundation, config, api);
  // Must come after the interpreter's start, which takes over the process's clock.
  const variables = { ...environment, ...libraryEnvironment(service) };
  foundation.onEnd(overrideGlobals(clock, foundation.random('libraries'), variables));
  return {
    service,
    foundation,
    environment,
    config,
    storage,
    functions,
    api,
    inventory,
    gateway,
    stepFunctions,
    requestHandler,
  };
}

function createGateway({ clock, newId }: Foundation, config: Config, api: Api): Gateway {
  const [secret = ''] = config.WEBHOOK_SECRETS ?? [];
  const ackLateMs = config.PAYMENT_ACK_TIMEOUT_SECONDS * 1000 + ACK_LATE_BY_MS;
  return new Gateway({
    clock,
    newId,
    webhook: { url: '/payment/webhook', secret, ackLateMs },
    post: async (path, headers, body) => {
      const { status } = await api.call({ method: 'POST', path, headers, body });
      return status >= 200 && status < 300;
    },
  });
}

/**
 * Creates the handlers' runtime, in which every effect passes one interceptor.
 * @param overrides for callers other than handlers, such as an operator's tool.
 */
export function createRuntime(
  { foundation, config, functions, inventory, gateway, requestHandler }: Parts,
  overrides: Pick<RuntimeOverrides, 'clock' | 'intercept'> = {},
): Runtime {
  const { effects, newId, detached } = foundation;
  const { clock = functions.clock, intercept = effects.intercept } = overrides;
  const random = foundation.random('handlers');
  return {
    config,
    clock,
    ids: { random: newId },
    random: () => random.next(),
    aws: createAwsAccess(intercept, requestHandler),
    http: networkClient({
      clock,
      intercept,
      hosts: {
        [GATEWAY_URL]: (request) => gateway.call(request),
        [INVENTORY_URL]: ({ url, sign, ...request }) =>
          inventory.call({
            ...request,
            path: url.slice(INVENTORY_URL.length),
            headers: { ...request.headers, ...(sign === undefined ? {} : UNCHECKED_SIGNATURE) },
          }),
      },
      detached,
    }),
  };
}
