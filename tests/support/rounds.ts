import type { Context } from 'aws-lambda';
import { handler as expireReservations } from '../../functions/inventory/expire-reservations.ts';
import { handler as dispatchDueWork } from '../../functions/operations/dispatch-due-work.ts';
import { asTimePasses } from './stack.ts';

/** A stack runs one round of a function at a time; these rounds may overlap. */
const context = { getRemainingTimeInMillis: () => 60_000 } as Context;

/** One round of the dispatcher; returns the number of orders and payments that it moved on. */
export function dispatch(): Promise<number> {
  return handledBy(() => dispatchDueWork(undefined, context));
}

/** One round of the sweeper; returns the number of reservations that it released. */
export function sweep(): Promise<number> {
  return handledBy(() => expireReservations(undefined, context));
}

async function handledBy(round: () => Promise<unknown>): Promise<number> {
  return ((await asTimePasses(round)) as { handled: number }).handled;
}
