import { z } from 'zod';
import { StartupProblem } from '../stack/startup-problem.ts';

const ANSWER_TIMEOUT_MS = 5000;

/** What is known about every emulator that ordersaga is deployed to. */
export interface Emulator {
  readonly kind: 'ministack' | 'localstack';
  readonly version: string;
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** The name of this machine for the functions. */
  readonly hostForFunctions: string;
  /** The address the companion listens on so that they reach it. */
  readonly companionAddress: string;
}

export class NoEmulatorError extends StartupProblem {
  override readonly name = 'NoEmulatorError';
}

const health = z.object({ version: z.string() });
/** What patched_ministack.py adds to the answer. */
const mendedHealth = health.extend({ patches: z.array(z.string()) });

/**
 * Asks what answers at the endpoint which emulator it is.
 * @throws NoEmulatorError where nothing answers, or what does is no emulator: AWS above all.
 */
export async function findEmulator(endpoint: string): Promise<Emulator> {
  const url = readEndpoint(endpoint);
  const base = url.href.replace(/\/$/, '');
  const ministack = await ask(`${base}/_ministack/health`);
  if (health.safeParse(ministack).success) return miniStack(base, ministack);
  const localstack = health.safeParse(await ask(`${base}/_localstack/health`));
  if (localstack.success) return localStack(base, localstack.data.version);
  throw new NoEmulatorError(
    `What answers at ${base} is no emulator that is known here: neither LocalStack nor MiniStack. ` +
      `For AWS itself see docs/deploy.md.\n${HOW_TO_START}`,
  );
}

const HOW_TO_START = `Start one, or set AWS_ENDPOINT_URL to where it is:
  docker compose up      LocalStack, on http://127.0.0.1:4566
  npm run ministack      MiniStack, there too; needs Python 3.10 or newer and no Docker
  npm run test:stack     brings a MiniStack of its own, only for the tests`;

function readEndpoint(endpoint: string): URL {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new NoEmulatorError(
      `AWS_ENDPOINT_URL is ${JSON.stringify(endpoint)}, which is no http URL. Try http://127.0.0.1:4566`,
    );
  }
  // Whatever a stranger's answer may look like, what is done to an emulator is never done to AWS.
  if (/(^|\.)(amazonaws\.com(\.cn)?|aws|aws\.dev|amazon\.com)$/.test(url.hostname)) {
    throw new NoEmulatorError(
      `AWS_ENDPOINT_URL is ${endpoint}: that is AWS itself. This command is for emulators only; to deploy to AWS see docs/deploy.md.`,
    );
  }
  return url;
}

/** @returns undefined for an answer that is not JSON. @throws NoEmulatorError when there is none. */
async function ask(url: string): Promise<unknown> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return await response.json().catch(() => undefined);
  } catch (cause) {
    throw new NoEmulatorError(`No emulator answers at ${new URL(url).origin}.\n${HOW_TO_START}`, {
      cause,
    });
  }
}

function miniStack(endpoint: string, answer: unknown): Emulator {
  const mended = mendedHealth.safeParse(answer);
  if (!mended.success) {
    throw new NoEmulatorError(
      `The MiniStack at ${endpoint} was started by itself. It keeps no error's name, so that no order ` +
        `would get anywhere: start it with npm run ministack, or by local/emulator/patched_ministack.py.`,
    );
  }
  // Its functions are processes of the same machine.
  const loopback = '127.0.0.1';
  const { version } = mended.data;
  const kind = 'ministack';
  return { kind, version, endpoint, hostForFunctions: loopback, companionAddress: loopback };
}

function localStack(endpoint: string, version: string): Emulator {
  return {
    kind: 'localstack',
    version,
    endpoint,
    // Its functions run in containers; docker-compose.yml gives them this name on Linux too.
    hostForFunctions: 'host.docker.internal',
    // On Linux they come in over Docker's bridge, elsewhere over the loopback interface.
    companionAddress: process.platform === 'linux' ? '0.0.0.0' : '127.0.0.1',
  };
}
