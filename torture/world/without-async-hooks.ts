// The module's own object, whose members can be replaced.
import asyncHooks from 'node:async_hooks';

/**
 * Imports modules without the async hooks that they would install. The tracer's library follows
 * every promise of the process by one, though tracing is off outside Lambda: a fifth of all time.
 */
export async function withoutAsyncHooks(importModules: () => Promise<void>): Promise<void> {
  const { createHook } = asyncHooks;
  // Never enabled, and enabling it does nothing.
  const noHook: asyncHooks.AsyncHook = { enable: () => noHook, disable: () => noHook };
  asyncHooks.createHook = () => noHook;
  try {
    await importModules();
  } finally {
    asyncHooks.createHook = createHook;
  }
}
