import type { Invocation } from '../world/effect-log.ts';

const known = new WeakMap<Invocation, string>();

/** The order that a function was invoked for, or else the request's idempotency key, if there is one. */
export function aboutOf(invocation: Invocation): string {
  let about = known.get(invocation);
  if (about === undefined) {
    const text = JSON.stringify(invocation.event);
    about = /ord_\w+/.exec(text)?.[0] ?? /"idempotency-key":"([^"]*)"/.exec(text)?.[1] ?? '';
    known.set(invocation, about);
  }
  return about;
}
