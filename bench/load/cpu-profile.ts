import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

/** CPU time of one part of the process: a package, two folders of this repository, or a module of Node.js. */
export interface PartTime {
  readonly part: string;
  readonly ms: number;
}

export interface CpuProfile {
  /** Ends the profile. @returns the parts, the busiest first. */
  stop(): Promise<PartTime[]>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//;
/** V8's name for time in which the process waits. */
const IDLE = '(idle)';

/** Samples this process from now on. A sample counts for the part whose code is on top of the stack. */
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
      for (const [index, id] of samples.entries()) {
        const part = parts.get(id) ?? '';
        times.set(part, (times.get(part) ?? 0) + (timeDeltas[index] ?? 0) / 1000);
      }
      times.delete(IDLE);
      return [...times].map(([part, ms]) => ({ part, ms })).sort((a, b) => b.ms - a.ms);
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
