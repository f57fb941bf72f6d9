/** Settings that a deployment supplies; all others have the specification's default. */
export const REQUIRED = {
  ORDERS_TABLE: 'orders',
  INVENTORY_TABLE: 'inventory',
  IDEMPOTENCY_TABLE: 'idempotency',
  COMPENSATION_QUEUE_URL: 'http://127.0.0.1:9/queue/compensation',
  ACKNOWLEDGEMENT_QUEUE_URL: 'http://127.0.0.1:9/queue/acknowledgement',
  SAGA_DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/queue/dead',
  COMPENSATION_DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/queue/compensation-dead',
  ACKNOWLEDGEMENT_DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/queue/acknowledgement-dead',
  ORDER_SAGA_ARN: 'arn:aws:states:eu-central-1:000000000000:stateMachine:order-saga',
  JWT_ISSUER: 'https://issuer.example/',
  JWT_AUDIENCE: 'ordersaga-api',
  JWKS_URL: 'http://127.0.0.1:9/jwks.json',
  INVENTORY_CREDENTIAL: 'service-credential-0123456789',
  WEBHOOK_SECRETS: 'webhook-secret-0123456789',
  GATEWAY_URL: 'http://127.0.0.1:9/gateway',
  INVENTORY_URL: 'http://127.0.0.1:9',
} as const;
