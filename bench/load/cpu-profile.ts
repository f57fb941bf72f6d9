import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

/** A package, a folder of this repository, or a module of Node.js, and its share of the time in which code ran. */
export interface PartShare {
  readonly part: string;
  readonly share: number;
}

export interface CpuProfile {
  /** Ends the profile. @returns the parts, the busiest first. */
  stop(): Promise<PartShare[]>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//;
/** V8's name for time in which the process waits. */
const IDLE = '(idle)';

/**
 * Samples this process from now on. A sample counts for the part whose code is on top of the stack. Samples follow the
 * clock: on a busy machine they also count time in which another process had the processor.
 */
export async function startCpuProfile(): Promise<CpuProfile> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  return {
    async stop() {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      const { nodes, samples = [], timeDeltas = [] } = profile;
      const parts = new Map(nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
      const times = new Map<string, number>();
      let running = 0;
      for (const [index, id] of samples.entries()) {
        const part = parts.get(id) ?? '';
        if (part === IDLE) continue;
        const delta = timeDeltas[index] ?? 0;
        times.set(part, (times.get(part) ?? 0) + delta);
        running += delta;
      }
      const shares = [...times].map(([part, time]) => ({ part, share: time / running }));
      return shares.sort((more, less) => less.share - more.share);
    },
  };
}

/** Native functions have no file; their own names tell them apart: `writev` is a write to a socket. */
function partOf({ functionName, url }: { functionName: string; url: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : `native ${functionName}`;
  if (url.startsWith('node:')) return url.split('/', 2).join('/');
  const [, name] = PACKAGE.exec(url) ?? [];
  if (name !== undefined) return name;
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  return path.startsWith(ROOT) ? path.slice(ROOT.length).split('/', 2).join('/') : path;
}
