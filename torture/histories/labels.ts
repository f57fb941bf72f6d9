import type { Invocation } from '../world/effect-log.ts';

const known = new WeakMap<Invocation, string>();

/** The order that an invocation is about, else the request's idempotency key, else an empty text. */
export function aboutOf(invocation: Invocation): string {
  let about = known.get(invocation);
  if (about === undefined) {
    const text = JSON.stringify(invocation.event);
    about = /ord_\w+/.exec(text)?.[0] ?? /"idempotency-key":"([^"]*)"/.exec(text)?.[1] ?? '';
    known.set(invocation, about);
  }
  return about;
}
