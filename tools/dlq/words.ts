import { MAX_RUNS_PER_ORDER } from '../../lib/limits.ts';
import type { NothingToDo, Redrive, Undoable } from '../../lib/orders/recovery/redrive.ts';
import { assertNever } from '../../lib/platform/errors.ts';

const NOTHING: Readonly<Record<NothingToDo, string>> = {
  SETTLED: 'the order has settled and owes nothing',
  LATER_RUN: 'a later run has looked after the order',
  ONLY_ITS_USER: 'only its user can try the payment again',
  NO_RUN_LEFT: `the order has had all its ${String(MAX_RUNS_PER_ORDER)} runs; its user has to place a new one`,
  GIVEN_BACK: 'what was owed has been given back',
};

const KEEP: Readonly<Record<Undoable, string>> = {
  UNREADABLE: 'this is no message of this service',
  UNREADABLE_ITEM:
    'its order or payment is stored in a form that cannot be read; `npm run doctor` says what is wrong with it',
  UNKNOWN_ORDER: 'this stage has no such order',
  UNKNOWN_PAYMENT:
    'nobody knows this payment, and its acknowledgement would end here again; name the letter to send it all the same',
};

/** Describes the effect of a redrive in a few words, which also fit after "would". */
export function wordsFor(redrive: Redrive): string {
  switch (redrive.action) {
    case 'RUN_AGAIN':
      return `run the order again (run ${String(redrive.order.run + 1)})`;
    case 'MOVE_ON': {
      const { run, status } = redrive.order;
      return run < MAX_RUNS_PER_ORDER
        ? `move the order on from ${status}: wake run ${String(run)}, or start run ${String(run + 1)} if that has ended`
        : `move the order on from ${status}: wake run ${String(run)}, or if that has ended let the dispatcher bring it to rest; no run is left`;
    }
    case 'COMPENSATE':
      return 'ask the compensation queue again for what is owed';
    case 'ACKNOWLEDGE':
      return 'send the acknowledgement to its queue again';
    case 'NOTHING':
      return `only remove the letter: ${NOTHING[redrive.why]}`;
    case 'KEEP':
      return `keep the letter: ${KEEP[redrive.why]}`;
    default:
      return assertNever(redrive);
  }
}
