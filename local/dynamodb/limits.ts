/**
 * DynamoDB's limits ("Quotas in Amazon DynamoDB" and the API reference), as far as this store holds
 * requests to them. Sizes in bytes.
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
  /** Of one page of a query or a scan, before its filter. */
  pageBytes: 1024 * 1024,
  /** For so long the token of a transaction stands for it. */
  transactionTokenMs: 10 * 60 * 1000,
} as const;

/** One write unit writes so many bytes; a transaction takes two for them. */
export const WRITE_UNIT_BYTES = 1024;
