import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../lib/platform/clock.ts';
import { parseSecrets } from '../../lib/platform/config.ts';
import { createRuntime } from '../../lib/platform/lambda/runtime.ts';
import { INVENTORY_PROXY_PATH } from '../companion/faults/inventory-proxy.ts';
import { startCompanion } from '../companion/server.ts';
import { overrideEnvironment } from '../stack/environment.ts';
import { Parts, type Progress } from '../stack/parts.ts';
import { assertPortsFree, findFreePort } from '../stack/ports.ts';
import { seedProducts } from '../stack/seed.ts';
import { StartupProblem } from '../stack/startup-problem.ts';
import { awsEnvironment } from './aws-environment.ts';
import { deploy } from './deploy.ts';
import type { Emulator } from './find-emulator.ts';
import { prepareSecrets } from './secrets.ts';
import { toolsEnvironment } from './tools-environment.ts';

const GIVE_UP_AFTER_MS = 60_000;
const LOOK_AGAIN_AFTER_MS = 500;
/** Delay after the service's time-out at which the simulator sends a late acknowledgement. */
const LATE_ACK_DELAY_MS = 5000;

export interface DeployedStackOptions {
  /** The project's folder. */
  readonly directory: string;
  readonly emulator: Emulator;
  /** 0 takes any free port. */
  readonly companionPort: number;
  /** Settings that differ from the stage's defaults, by name, including secrets. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Receives the output of the serverless CLI. */
  readonly logFile: string;
  readonly onProgress: (step: Progress) => void;
  readonly stopping?: AbortSignal | undefined;
}

export interface DeployedStack {
  readonly apiUrl: string;
  readonly companionUrl: string;
  mintToken(subject: string, scope?: string): Promise<string>;
  /** Ends the companion. The deployment stays on the emulator. */
  stop(): Promise<void>;
}

class DeployedStackSilentError extends StartupProblem {
  override readonly name = 'DeployedStackSilentError';
}

/**
 * Deploys to an emulator, starts the companion beside it and waits until both work together. Until it is stopped,
 * this process's AWS SDK uses the emulator.
 * @throws StartupProblem for a problem that a person can mend.
 */
export async function startDeployedStack(options: DeployedStackOptions): Promise<DeployedStack> {
  const parts = new Parts(options.onProgress);
  try {
    return await startParts(options, parts);
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

async function startParts(options: DeployedStackOptions, parts: Parts): Promise<DeployedStack> {
  const { emulator, companionPort, directory, logFile, stopping } = options;
  const { endpoint, hostForFunctions, companionAddress: host } = emulator;
  await assertPortsFree(host, [
    { port: companionPort, part: 'the companion', variable: 'COMPANION_PORT' },
  ]);
  const port = companionPort === 0 ? await findFreePort(host) : companionPort;
  const forFunctions = `http://${hostForFunctions}:${String(port)}`;
  const { INVENTORY_CREDENTIAL, WEBHOOK_SECRETS, ...settings } = options.parameters;
  const parameters = {
    GATEWAY_URL: `${forFunctions}/gateway`,
    INVENTORY_URL: `${forFunctions}${INVENTORY_PROXY_PATH}`,
    JWT_ISSUER: `${forFunctions}/issuer`,
    JWT_AUDIENCE: 'ordersaga',
    JWKS_URL: `${forFunctions}/issuer/jwks.json`,
    ...settings,
  };
  const aws = awsEnvironment(endpoint, process.env);
  parts.onStop(overrideEnvironment({ ...aws, ...QUIET }));

  const secrets = await parts.start('secrets', () =>
    prepareSecrets({
      ...(INVENTORY_CREDENTIAL === undefined ? {} : { INVENTORY_CREDENTIAL }),
      ...(WEBHOOK_SECRETS === undefined ? {} : { WEBHOOK_SECRETS }),
    }),
  );
  const { apiUrl, inventory, environment } = await parts.start('deployment', () =>
    deploy({ directory, endpoint, parameters, logFile, aws, stopping }),
  );
  const local = `http://127.0.0.1:${String(port)}`;
  const forTools = toolsEnvironment(environment, aws, {
    GATEWAY_URL: parameters.GATEWAY_URL.replace(forFunctions, local),
    INVENTORY_URL: parameters.INVENTORY_URL.replace(forFunctions, local),
  });
  const ackTimeoutSeconds = Number(environment['PAYMENT_ACK_TIMEOUT_SECONDS']);
  const companion = await parts.start('companion', () =>
    startCompanion({
      host,
      port,
      clock: systemClock,
      issuer: parameters.JWT_ISSUER,
      audience: parameters.JWT_AUDIENCE,
      apiUrl,
      inventory,
      webhook: {
        url: `${apiUrl}/payment/webhook`,
        secret: parseSecrets(secrets.WEBHOOK_SECRETS)[0],
        ackLateMs: ackTimeoutSeconds * 1000 + LATE_ACK_DELAY_MS,
      },
      stackEnvironment: () => forTools,
    }),
  );
  parts.onStop(() => companion.stop());
  await parts.start('first answer', async () => {
    await untilItAnswers(apiUrl, await companion.mintToken('first-answer'), stopping);
  });
  await parts.start('seed data', () => seedProducts(createRuntime(forTools)));
  return {
    apiUrl,
    companionUrl: local,
    mintToken: (subject, scope) => companion.mintToken(subject, scope),
    stop: () => parts.stop(),
  };
}

/** Logs and metrics are the functions'; of this process they would go to the terminal. */
const QUIET = { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' };

/**
 * Waits until the API lists products, which needs the function, its table, and the companion's key to verify the
 * token.
 */
async function untilItAnswers(
  apiUrl: string,
  token: string,
  stopping: AbortSignal | undefined,
): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  let last = 'nothing';
  while (performance.now() < giveUpAt && stopping?.aborted !== true) {
    try {
      const response = await fetch(`${apiUrl}/product`, {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(GIVE_UP_AFTER_MS),
      });
      if (response.ok) return;
      last = `${String(response.status)} ${await response.text()}`;
    } catch (error) {
      last = String(error);
    }
    await sleep(LOOK_AGAIN_AFTER_MS);
  }
  throw new DeployedStackSilentError(
    `It is deployed, but GET ${apiUrl}/product does not answer 200. The last answer: ${last}`,
  );
}
