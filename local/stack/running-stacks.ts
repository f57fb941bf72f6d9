import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { LOCAL_SETTINGS } from '../local-settings.ts';
import { isRunning, markOf } from './process-mark.ts';
import { StartupProblem } from './startup-problem.ts';

/** A running stack of this machine, as its process has recorded it. */
export interface RunningStack {
  readonly pid: number;
  readonly apiUrl: string;
  readonly companionUrl: string;
}

const fileSchema = z.object({
  pid: z.int().positive(),
  began: z.string().optional(),
  apiUrl: z.url(),
  companionUrl: z.url(),
});

const FOLDER = fileURLToPath(new URL('../../.local/running', import.meta.url));

/**
 * Records that this process runs a stack, for commands in other terminals. If the record cannot be written, they
 * try the default ports.
 * @returns a function that removes the record.
 */
export function announceStack(
  urls: Pick<RunningStack, 'apiUrl' | 'companionUrl'>,
  folder = FOLDER,
): () => void {
  const file = join(folder, `${String(process.pid)}.json`);
  const { apiUrl, companionUrl } = urls;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify({ ...markOf(), apiUrl, companionUrl }));
  } catch {
    // A full disk is no reason to stop a running stack.
    return () => undefined;
  }
  return () => {
    rmSync(file, { force: true });
  };
}

/** Stacks that run now. Records of killed stacks are removed. */
export function findRunningStacks(folder = FOLDER): readonly RunningStack[] {
  return filesIn(folder).flatMap((name) => {
    const file = join(folder, name);
    const written = read(file);
    if (written === undefined) return [];
    const { pid, began, apiUrl, companionUrl } = written;
    if (isRunning(began === undefined ? { pid } : { pid, began })) {
      return [{ pid, apiUrl, companionUrl }];
    }
    rmSync(file, { force: true });
    return [];
  });
}

const PROBE_TIMEOUT_MS = 2000;
const indexSchema = z.object({ name: z.literal('ordersaga companion') });

/** Finds the stack whose companion listens on a port of this machine; undefined if another program does. */
export async function findRunningStackAt(
  companionPort: number,
  folder = FOLDER,
): Promise<Omit<RunningStack, 'pid'> | undefined> {
  const companionUrl = `http://localhost:${String(companionPort)}`;
  try {
    const response = await fetch(companionUrl, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    indexSchema.parse(await response.json());
  } catch {
    return undefined;
  }
  const written = findRunningStacks(folder).find(
    (stack) => new URL(stack.companionUrl).port === String(companionPort),
  );
  return written ?? { companionUrl, apiUrl: 'on a port that it has not written down' };
}

/** Thrown if the stack to be started is already running on these ports. */
export class StackRunsAlreadyError extends StartupProblem {
  override readonly name = 'StackRunsAlreadyError';

  constructor({ apiUrl, companionUrl }: Omit<RunningStack, 'pid'>, options?: ErrorOptions) {
    super(
      `ordersaga is already running here: the API is ${apiUrl}, the companion ${companionUrl}.\n` +
        'Use that one (npm run -s token -- alice), or end it with Ctrl-C in its terminal.\n' +
        'A second one needs ports of its own: API_PORT, COMPANION_PORT, STEP_FUNCTIONS_PORT, QUEUES_PORT, DYNAMODB_PORT',
      options,
    );
  }
}

const DEFAULT_URL = `http://localhost:${String(LOCAL_SETTINGS.COMPANION_PORT.default)}`;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Finds the companion of the running stack: `COMPANION_URL`, else the one on `COMPANION_PORT`, else the only
 * running stack's, else the one on the default port.
 * @throws SeveralStacksError if several stacks run and no variable chooses one.
 */
export function findCompanionUrl(environment: Variables, folder = FOLDER): string {
  const { COMPANION_URL: url, COMPANION_PORT: port, API_PORT: apiPort } = environment;
  if (url !== undefined) return url;
  if (port !== undefined) return `http://localhost:${port}`;
  const running = findRunningStacks(folder);
  const meant =
    apiPort === undefined
      ? running
      : running.filter(({ apiUrl }) => new URL(apiUrl).port === apiPort);
  const [only, ...others] = meant;
  if (only === undefined) return DEFAULT_URL;
  if (others.length === 0) return only.companionUrl;
  const byDefault = meant.find(
    ({ companionUrl }) => new URL(companionUrl).port === new URL(DEFAULT_URL).port,
  );
  if (byDefault === undefined) throw new SeveralStacksError(meant);
  return byDefault.companionUrl;
}

/** Thrown if several stacks run. The message for the person at the terminal lists them and says how to choose. */
export class SeveralStacksError extends Error {
  override readonly name = 'SeveralStacksError';

  constructor(stacks: readonly RunningStack[]) {
    const lines = stacks.map(
      ({ apiUrl, companionUrl }) => `  COMPANION_URL=${companionUrl}   (API ${apiUrl})`,
    );
    super(`Several stacks run here. Set COMPANION_URL to choose one:\n${lines.join('\n')}`);
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

/** Parses a record; undefined if it is incomplete or gone. */
function read(file: string): z.infer<typeof fileSchema> | undefined {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
