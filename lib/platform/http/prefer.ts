import { MAX_WAIT_SECONDS } from '../../limits.ts';

/** Seconds of `Prefer: wait=N` (RFC 7240), clamped to 10; 0 if the caller does not want to wait. */
export function waitSecondsOf(prefer: string | undefined): number {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?/i.exec(prefer ?? '');
  return Math.min(Number(match?.[1] ?? 0), MAX_WAIT_SECONDS);
}
