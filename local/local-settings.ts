import type { Setting } from '../lib/platform/settings.ts';
import { STORE_CHOICES } from './stack/store.ts';

/** Settings that only a local start has. Rows have the same form as in lib/platform/settings.ts. */
export const LOCAL_SETTINGS = {
  LISTEN_ADDRESS: {
    kind: 'address',
    default: '127.0.0.1',
    meaning: 'Address that the API, the companion and Step Functions listen on.',
  },
  STORE: {
    kind: 'choice',
    choices: STORE_CHOICES,
    default: 'auto',
    meaning:
      'Store of the tables; `auto` is DynamoDB Local if there is Java 17 or newer, else memory.',
  },
  LAMBDA_CONCURRENCY: {
    kind: 'number',
    min: 1,
    max: 100_000,
    default: 1000,
    meaning: 'Functions that run at once, as an AWS account limits them; more are throttled.',
  },
  API_PORT: port(3000, 'the API'),
  COMPANION_PORT: port(3100, 'the companion'),
  STEP_FUNCTIONS_PORT: port(8083, 'Step Functions'),
  QUEUES_PORT: port(9324, 'SQS'),
  DYNAMODB_PORT: port(8000, 'DynamoDB Local'),
} as const satisfies Readonly<Record<string, Setting>>;

function port(preset: number, part: string) {
  return {
    kind: 'number',
    min: 1,
    max: 65_535,
    default: preset,
    meaning: `Port of ${part}.`,
  } as const;
}
