/**
 * DynamoDB's limits that this store enforces ("Quotas in Amazon DynamoDB" and the API reference). Sizes are in
 * bytes.
 */
export const LIMITS = {
  partitionKeyBytes: 2048,
  sortKeyBytes: 1024,
  itemBytes: 400 * 1024,
  transactionActions: 100,
  transactionBytes: 4 * 1024 * 1024,
  batchGetKeys: 100,
  batchGetBytes: 16 * 1024 * 1024,
  batchWriteActions: 25,
  /** Size of one page of a query or a scan, before its filter. */
  pageBytes: 1024 * 1024,
  /** Time for which a client request token makes a transaction idempotent. */
  transactionTokenMs: 10 * 60 * 1000,
} as const;

/** Bytes per write unit. A transaction takes two units for them. */
export const WRITE_UNIT_BYTES = 1024;
