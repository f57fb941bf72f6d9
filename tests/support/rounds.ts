import type { Context } from 'aws-lambda';
import { handler as expireReservations } from '../../functions/inventory/expire-reservations.ts';
import { handler as dispatchDueWork } from '../../functions/operations/dispatch-due-work.ts';
import { asTimePasses } from './stack.ts';

/** The stack runs one round of a function at a time; these run beside it and beside each other. */
const context = { getRemainingTimeInMillis: () => 60_000 } as Context;

/** One round of the dispatcher; answers how many orders and payments it moved on. */
export function dispatch(): Promise<number> {
  return handledBy(() => dispatchDueWork(undefined, context));
}

/** One round of the sweeper; answers how many reservations it released. */
export function sweep(): Promise<number> {
  return handledBy(() => expireReservations(undefined, context));
}

async function handledBy(round: () => Promise<unknown>): Promise<number> {
  return ((await asTimePasses(round)) as { handled: number }).handled;
}
