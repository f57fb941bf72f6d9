import { z } from 'zod';
import { StartupProblem } from '../stack/startup-problem.ts';
import { isAwsHost } from './aws-hosts.ts';

/** An emulator that is processing many events answers late. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Names to print. */
export const EMULATOR_NAMES = { ministack: 'MiniStack', localstack: 'LocalStack' } as const;

export type EmulatorKind = keyof typeof EMULATOR_NAMES;

/** Properties that differ between the emulators ordersaga is deployed to. */
export interface Emulator {
  readonly kind: EmulatorKind;
  readonly version: string;
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Host name of this machine, as functions see it. */
  readonly hostForFunctions: string;
  /** Address that the companion listens on, so that functions reach it. */
  readonly companionAddress: string;
}

export class NoEmulatorError extends StartupProblem {
  override readonly name = 'NoEmulatorError';
}

/** Members of the health answer, which both emulators give. */
const healthSchema = z.object({
  version: z.string(),
  /** Added by patched_ministack.py. */
  patches: z.array(z.string()).optional(),
  /** Only in MiniStack's own answer. */
  ready_scripts: z.unknown().optional(),
  /** Added by host_localstack.py. */
  functions: z.literal('processes').optional().catch(undefined),
});

/**
 * Asks the endpoint which emulator answers there.
 * @throws NoEmulatorError if nothing answers, or no emulator does: AWS above all.
 */
export async function findEmulator(endpoint: string): Promise<Emulator> {
  const url = readEndpoint(endpoint);
  const base = url.href.replace(/\/$/, '');
  // MiniStack's own path will not do: LocalStack takes it for a bucket, and loads S3 for seconds to look for it.
  const health = healthSchema.safeParse(await ask(`${base}/_localstack/health`));
  if (!health.success) {
    throw new NoEmulatorError(
      `What answers at ${base} is no emulator that is known here: neither LocalStack nor MiniStack. ` +
        `For AWS itself see docs/deploy.md.\n${HOW_TO_START}`,
    );
  }
  const { version, patches, ready_scripts: ofMiniStack, functions } = health.data;
  if (patches !== undefined) return { kind: 'ministack', version, endpoint: base, ...ON_LOOPBACK };
  if (ofMiniStack !== undefined) throw new NoEmulatorError(bareMiniStack(base));
  const reached = functions === 'processes' ? ON_LOOPBACK : FROM_CONTAINERS;
  return { kind: 'localstack', version, endpoint: base, ...reached };
}

/** For functions that run as processes of this machine. */
const ON_LOOPBACK = { hostForFunctions: '127.0.0.1', companionAddress: '127.0.0.1' };

const FROM_CONTAINERS = {
  // docker-compose.yml gives this machine this name for functions in containers, also on Linux.
  hostForFunctions: 'host.docker.internal',
  // Their calls come in over Docker's bridge on Linux, elsewhere over the loopback interface.
  companionAddress: process.platform === 'linux' ? '0.0.0.0' : '127.0.0.1',
};

function bareMiniStack(endpoint: string): string {
  return (
    `The MiniStack at ${endpoint} was started by itself. It keeps no error's name, so that no order ` +
    `would get anywhere: start it with npm run ministack, or by local/emulator/patched_ministack.py.`
  );
}

const HOW_TO_START = `Start one, or set AWS_ENDPOINT_URL to where it is:
  npm run ministack              MiniStack, on http://127.0.0.1:4566; needs Python 3.10 or newer
  npm run localstack             LocalStack, there too; needs Python 3.13, and Java 17 or newer
  docker compose up localstack   LocalStack with its functions in containers; needs Docker
  npm run test:stack             brings an emulator of its own, only for the tests`;

function readEndpoint(endpoint: string): URL {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new NoEmulatorError(
      `AWS_ENDPOINT_URL is ${JSON.stringify(endpoint)}, which is no http URL. Try http://127.0.0.1:4566`,
    );
  }
  if (isAwsHost(url.hostname)) {
    throw new NoEmulatorError(
      `AWS_ENDPOINT_URL is ${endpoint}: that is AWS itself. This command is for emulators only; to deploy to AWS see docs/deploy.md.`,
    );
  }
  return url;
}

/** @returns undefined if the answer is not JSON. @throws NoEmulatorError if there is no answer. */
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
