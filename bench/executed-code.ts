import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

/** Files of lib/ and functions/ that ran, and the number of their functions that were called. */
export interface ExecutedCode {
  /** Functions called, by path from the repository's root. */
  readonly functionsByFile: ReadonlyMap<string, number>;
}

export interface CodeWatch {
  /** Ends the watch. */
  stop(): Promise<ExecutedCode>;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEPLOYED = /^(lib|functions)\//;

/**
 * Watches by V8's precise coverage which functions of the deployed code this process calls from now on. A module's own
 * top level is not counted as a function: it runs once per process, not once per order.
 */
export async function watchExecutedCode(): Promise<CodeWatch> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  // Reading resets the counts: calls made before the watch are left out.
  await session.post('Profiler.takePreciseCoverage');
  return {
    async stop() {
      const { result } = await session.post('Profiler.takePreciseCoverage');
      session.disconnect();
      const functionsByFile = new Map<string, number>();
      for (const { url, functions } of result) {
        const path = pathOf(url);
        if (path === undefined || !DEPLOYED.test(path)) continue;
        const called = functions.filter(
          ({ ranges: [range] }) => range !== undefined && range.startOffset > 0 && range.count > 0,
        ).length;
        if (called > 0) functionsByFile.set(path, (functionsByFile.get(path) ?? 0) + called);
      }
      return { functionsByFile };
    },
  };
}

/** @returns undefined for a script that is not a file of this repository. */
function pathOf(url: string): string | undefined {
  if (!url.startsWith('file:')) return undefined;
  const path = fileURLToPath(url);
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : undefined;
}
