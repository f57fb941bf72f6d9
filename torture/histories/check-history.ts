import type { Snapshot } from '../world/snapshot.ts';
import {
  brokenModifications,
  unaskedSteps,
  uncancelled,
  versionsTakenTwice,
} from './check-changes.ts';
import {
  differingAnswers,
  duplicates,
  lostOrders,
  mixedUpKeys,
  unexplainedOrders,
} from './check-orders.ts';
import { brokenPayments, brokenTotals } from './check-payments.ts';
import {
  backwardReads,
  differingVersions,
  inventedReads,
  inventedRefunds,
  unmappedErrors,
  wrongVisibility,
} from './check-reads.ts';
import { brokenPrices, brokenReceipts, oversold } from './check-stock.ts';
import type { Recorded } from './recorded.ts';

const CHECKS: readonly ((recorded: Recorded, stored: Snapshot) => string[])[] = [
  lostOrders,
  unexplainedOrders,
  differingAnswers,
  mixedUpKeys,
  duplicates,
  uncancelled,
  brokenModifications,
  versionsTakenTwice,
  unaskedSteps,
  brokenPayments,
  brokenTotals,
  backwardReads,
  inventedReads,
  differingVersions,
  inventedRefunds,
  wrongVisibility,
  unmappedErrors,
  brokenReceipts,
  oversold,
  brokenPrices,
];

/** Compares the users' calls and their responses with the stored state at rest. */
export function brokenHistory(recorded: Recorded, stored: Snapshot): string[] {
  return CHECKS.flatMap((check) => check(recorded, stored));
}
