import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { StartupProblem } from '../stack/startup-problem.ts';
import type { AwsEnvironment } from './aws-environment.ts';

/** The stage of serverless.yml that is deployed to emulators. */
export const STAGE = 'local';

/** The CLI bundles every function in a temporary folder and does not remove it. */
const TEMPORARY_FOLDER = '.local/deploy';

const SHOWN_LINES = 25;

class DeploymentFailedError extends StartupProblem {
  override readonly name = 'DeploymentFailedError';
}

export interface DeployOptions {
  /** The project's folder. */
  readonly directory: string;
  readonly endpoint: string;
  /** Settings that differ from the stage's defaults, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Receives the CLI's output, without colours. */
  readonly logFile: string;
  /** Variables that point the CLI and the SDK at the emulator, with its own credentials. */
  readonly aws: AwsEnvironment;
  readonly stopping?: AbortSignal | undefined;
}

export interface Deployment {
  /** Base URL of the API on the emulator. */
  readonly apiUrl: string;
  /** Function URL of the Inventory Service: an emulator serves it at its endpoint, by its host name. */
  readonly inventory: { readonly url: string; readonly host: string };
  /** The functions' environment, without their credentials. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Deploys serverless.yml unchanged, with the serverless CLI.
 * @throws DeploymentFailedError with the end of the CLI's output.
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const output = await runCli(options);
  // The CLI prints the URLs of AWS; an emulator serves the same API under a path.
  const apiId = /https:\/\/(\w+)\.execute-api\./.exec(output)?.[1];
  if (apiId === undefined) {
    throw new DeploymentFailedError(
      `The serverless CLI named no endpoint; all it said is in ${options.logFile}.`,
    );
  }
  return {
    apiUrl: `${options.endpoint}/_aws/execute-api/${apiId}/${STAGE}`,
    ...(await deployedFunctions(options.endpoint)),
  };
}

async function runCli(options: DeployOptions): Promise<string> {
  const { directory, parameters, logFile, aws, stopping } = options;
  const manifest = createRequire(import.meta.url).resolve('serverless/package.json');
  const cli = join(dirname(manifest), 'bin', 'serverless.js');
  const temporary = join(directory, TEMPORARY_FOLDER);
  mkdirSync(temporary, { recursive: true });
  mkdirSync(dirname(logFile), { recursive: true });
  const log = createWriteStream(logFile, { flags: 'w' });
  // Forced: where nothing has changed, the CLI would skip the deployment and name no endpoint.
  const child = spawn(process.execPath, [cli, 'deploy', '--force', '--stage', STAGE], {
    cwd: directory,
    env: {
      ...process.env,
      ...aws,
      ...parameters,
      NO_COLOR: '1',
      TMPDIR: temporary,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(stopping === undefined ? {} : { signal: stopping }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      log.write(chunk);
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number | null];
  log.end();
  rmSync(temporary, { recursive: true, force: true });
  if (exitCode === 0) return output;
  const lastLines = output.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
  throw new DeploymentFailedError(
    `serverless deploy failed; all it said is in ${logFile}. Its last lines:\n${lastLines}`,
  );
}

async function deployedFunctions(
  endpoint: string,
): Promise<Pick<Deployment, 'inventory' | 'environment'>> {
  const client = new LambdaClient({});
  try {
    // Any caller of the Inventory Service would do, because all of them have the same configuration.
    const { Environment } = await client.send(
      new GetFunctionConfigurationCommand({ FunctionName: `ordersaga-${STAGE}-dispatchDueWork` }),
    );
    const { FunctionUrl = '' } = await client.send(
      new GetFunctionUrlConfigCommand({ FunctionName: `ordersaga-${STAGE}-reservations` }),
    );
    // Not by URL: for LocalStack it ends with an address, which `URL` refuses in a name.
    const [, host = ''] = /^https?:\/\/([^/]+)/.exec(FunctionUrl) ?? [];
    return {
      inventory: { url: endpoint, host },
      environment: Environment?.Variables ?? {},
    };
  } finally {
    client.destroy();
  }
}
