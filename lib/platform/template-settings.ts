import type { Setting } from './settings.ts';

/**
 * Settings of a deployed stage that the template alone uses: rows of the same form as in
 * settings.ts. No function reads them, and the embedded stack ignores them.
 */
export const TEMPLATE_SETTINGS = {
  // SecureStrings, made before the first deployment (docs/secrets.md).
  INVENTORY_CREDENTIAL_PARAMETER: {
    kind: 'text',
    default: '/ordersaga/${sls:stage}/inventory-credential',
    meaning: 'Name of the SSM parameter that holds the credentials of Inventory.',
  },
  WEBHOOK_SECRETS_PARAMETER: {
    kind: 'text',
    default: '/ordersaga/${sls:stage}/webhook-secrets',
    meaning: 'Name of the SSM parameter that holds the webhook secrets.',
  },
  OPERATIONS_EMAIL: {
    kind: 'text',
    default: '',
    meaning: 'Address that alarms are sent to; nobody is told while it is empty.',
  },
  TRACE_SAMPLE_SHARE: {
    kind: 'share',
    default: 0.05,
    // Emulators have no X-Ray.
    local: 0,
    meaning:
      "Share of the requests beyond one a second whose trace is recorded; 0 leaves that to the account's default rule.",
  },
  LOG_RETENTION_DAYS: {
    // The CLI refuses the numbers of days that CloudWatch Logs does not know.
    kind: 'number',
    min: 1,
    max: 3653,
    default: 14,
    prod: 90,
    meaning: 'Days for which the logs of functions and the state machine are kept.',
  },
  API_ACCESS_LOG: {
    kind: 'switch',
    default: true,
    // It needs a role of the whole account, which emulators do not have.
    local: false,
    meaning: 'Whether API Gateway logs every call: who, what, status, latency.',
  },
  SAGA_LOG_LEVEL: {
    kind: 'choice',
    choices: ['ALL', 'ERROR', 'OFF'],
    default: 'ALL',
    prod: 'ERROR',
    meaning:
      'Events that the state machine logs; never with its data, which has task tokens in it.',
  },
  TABLE_DELETION_POLICY: {
    kind: 'choice',
    choices: ['Delete', 'Retain'],
    default: 'Delete',
    prod: 'Retain',
    meaning: 'Whether the tables go when the stage is removed.',
  },
  TABLE_DELETION_PROTECTION: {
    kind: 'switch',
    default: false,
    prod: true,
    meaning: 'Whether DynamoDB refuses to delete the tables.',
  },
  SAGA_RESERVED_CONCURRENCY: reserved('each function of the saga'),
  INVENTORY_RESERVED_CONCURRENCY: reserved("Inventory's function `reservations`"),
  WEBHOOK_RESERVED_CONCURRENCY: reserved('each of the two functions that take acknowledgements'),
  SCHEDULE_RESERVED_CONCURRENCY: reserved('each of the dispatcher and the sweeper'),
  QUEUE_MAX_CONCURRENCY: {
    kind: 'number',
    min: 2,
    max: 1000,
    default: 10,
    meaning: 'Batches of one queue that are handled at once.',
  },
  WAF_RATE_PER_IP: {
    kind: 'number',
    min: 0,
    max: 2_000_000_000,
    default: 0,
    meaning:
      'Requests in five minutes that AWS WAF lets one address send; at least 10. 0 makes no web ACL, which costs by the month.',
  },
  API_RATE_LIMIT: {
    kind: 'number',
    min: 1,
    max: 10_000,
    default: 100,
    prod: 500,
    meaning:
      'Requests a second that each method of the API takes; beyond them it answers `429`. The account has a limit for all.',
  },
  API_BURST_LIMIT: {
    kind: 'number',
    min: 1,
    max: 5000,
    default: 200,
    prod: 1000,
    meaning: 'Requests at the same moment that each method of the API takes.',
  },
} as const satisfies Readonly<Record<string, Setting>>;

function reserved(functions: string) {
  return {
    kind: 'number',
    min: 0,
    max: 1000,
    default: 0,
    meaning: `Concurrent invocations reserved for ${functions}, and their limit; 0 reserves none.`,
  } as const;
}
