import {
  CacheTimeout,
  InventoryRestarting,
  LockContention,
} from '../../../lib/inventory/refusals.ts';
import type { ProblemType } from '../../../lib/platform/errors.ts';

/** The proxy's treatment of a call that a fault hits. */
export type Behaviour =
  | { readonly does: 'HANG' }
  | { readonly does: 'RESET' }
  /** Forwards the call, and drops the answer. */
  | { readonly does: 'LOSE_ANSWER' }
  /** Answers as a load balancer does, or Lambda. */
  | {
      readonly does: 'FAIL';
      readonly status: 429 | 500 | 502 | 503;
      readonly retryAfterSeconds?: number;
    }
  /** Answers as the Inventory Service itself does. */
  | {
      readonly does: 'REFUSE';
      readonly refusal: ProblemType & { readonly advice: string };
      readonly retryAfterSeconds: number;
    };

interface Mode {
  /** One line for the index at `/`. */
  readonly summary: string;
  readonly behaviour: Behaviour;
}

/** Ways in which calls of Inventory can fail (specification, section 8). */
export const FAULT_MODES = {
  timeout: {
    summary: 'never answers; nothing is forwarded',
    behaviour: { does: 'HANG' },
  },
  http_500: {
    summary: '500; nothing is forwarded',
    behaviour: { does: 'FAIL', status: 500 },
  },
  http_502: {
    summary: '502; nothing is forwarded',
    behaviour: { does: 'FAIL', status: 502 },
  },
  http_503: {
    summary: '503 that does not say when to come back; nothing is forwarded',
    behaviour: { does: 'FAIL', status: 503 },
  },
  throttled: {
    summary: '429 with Retry-After, best with `callsPerSecond`; nothing is forwarded',
    behaviour: { does: 'FAIL', status: 429, retryAfterSeconds: 1 },
  },
  restarting: {
    summary: '503 with Retry-After; nothing is forwarded',
    behaviour: {
      does: 'REFUSE',
      refusal: InventoryRestarting.refusal,
      retryAfterSeconds: 5,
    },
  },
  cache_timeout: {
    summary: "Inventory's own CACHE_TIMEOUT; nothing is forwarded",
    behaviour: {
      does: 'REFUSE',
      refusal: CacheTimeout.refusal,
      retryAfterSeconds: 1,
    },
  },
  lock_contention: {
    summary: "Inventory's own LOCK_CONTENTION; nothing is forwarded",
    behaviour: {
      does: 'REFUSE',
      refusal: LockContention.refusal,
      retryAfterSeconds: 1,
    },
  },
  reset: {
    summary: 'the connection is reset; nothing is forwarded',
    behaviour: { does: 'RESET' },
  },
  lost_response: {
    summary: 'forwarded; once the work is done, the connection is cut without an answer',
    behaviour: { does: 'LOSE_ANSWER' },
  },
} as const satisfies Readonly<Record<string, Mode>>;

export type FaultMode = keyof typeof FAULT_MODES;

export const FAULT_MODE_NAMES = Object.keys(FAULT_MODES) as readonly FaultMode[];
