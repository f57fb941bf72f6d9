import type { Runtime, RuntimeOverrides } from '../../lib/platform/lambda/runtime.ts';
import type { EmbeddedStack } from '../../local/stack/embedded-stack.ts';
import type { TravelClock } from '../../local/stack/travel-clock.ts';

interface QueuedMessage {
  readonly body: string;
}

/** A service under test: embedded, simulated or deployed. tests/README.md lists the tests of each. */
export interface TestStack
  extends Pick<
    EmbeddedStack,
    | 'apiUrl'
    | 'companionUrl'
    | 'endpoints'
    | 'tableNames'
    | 'queueUrls'
    | 'orderSagaArn'
    | 'environment'
    | 'mintToken'
    | 'setInterceptor'
    | 'setAdmission'
    | 'runSchedules'
    | 'pollQueues'
    | 'logs'
    | 'stop'
  > {
  readonly clock: Pick<TravelClock, 'now' | 'schedule' | 'advance' | 'skip' | 'settle'>;
  readonly queues: {
    /** Messages of a queue by its name, without receiving them; undefined if there is no such queue. */
    inspectQueue(name: string):
      | {
          readonly messages: {
            readonly ready: readonly QueuedMessage[];
            readonly delayed: readonly QueuedMessage[];
            readonly inflight: readonly { readonly message: QueuedMessage }[];
          };
        }
      | undefined;
  };
  /** Creates a runtime for code outside the handlers, such as an operator's tool; injected faults do not reach it. */
  runtime(overrides?: Pick<RuntimeOverrides, 'clock' | 'intercept'>): Runtime;
}
