import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { ConfigurationError } from '../lib/platform/config.ts';
import { createRuntime, type Runtime } from '../lib/platform/lambda/runtime.ts';
import { findCompanionUrl, SeveralStacksError } from '../local/stack/running-stacks.ts';

/** The stage that runs on this machine. */
export const LOCAL = 'local';

const ANSWER_TIMEOUT_MS = 10_000;
/** Any function of the stage would do, because all of them have the same environment. */
const FUNCTION = 'dispatchDueWork';

const stackSchema = z.object({ environment: z.record(z.string(), z.string()) });

/** Thrown if a stage cannot be reached. The message tells the person at the terminal the remedy. */
export class StageProblem extends Error {
  override readonly name = 'StageProblem';
}

/**
 * Connects a tool to a stage, with the configuration, tables, queues and state machine of the stage's functions.
 * The companion tells those of the running local stack. The tool finds it by `COMPANION_URL`, `COMPANION_PORT` or
 * the file that the stack has written. A deployed stage tells them by its functions' configuration, read with the
 * AWS SDK's own variables.
 * @throws StageProblem
 */
export async function connectToStage(stage: string): Promise<Runtime> {
  const environment = stage === LOCAL ? await askCompanion() : await askLambda(stage);
  try {
    return createRuntime(environment);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new StageProblem(`Stage ${stage} is of another version: ${error.message}`, {
      cause: error,
    });
  }
}

/** Asks the companion. Its answer also sets the SDK's own variables, which point the AWS SDK at the local stack. */
async function askCompanion(): Promise<Readonly<Record<string, string>>> {
  const companionUrl = meantCompanion();
  if (!URL.canParse(companionUrl)) {
    throw new StageProblem(`COMPANION_URL is not a URL: ${companionUrl}`);
  }
  let answer: unknown;
  try {
    const response = await fetch(new URL('/stack', companionUrl), {
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    answer = await response.json();
  } catch (cause) {
    throw new StageProblem(
      `No local stack answers at ${companionUrl}. Start it with: npm start\n` +
        'It may listen elsewhere: set COMPANION_URL. For a deployed stage: --stage NAME',
      { cause },
    );
  }
  const parsed = stackSchema.safeParse(answer);
  if (!parsed.success) {
    throw new StageProblem(
      `What answers at ${companionUrl} is not the companion of a running stack. Set COMPANION_URL to where it is.`,
    );
  }
  const { environment } = parsed.data;
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith('AWS_')) process.env[name] = value;
  }
  // The SDK would prefer the profile to the credentials of the local stack.
  delete process.env['AWS_PROFILE'];
  delete process.env['AWS_SESSION_TOKEN'];
  return environment;
}

function meantCompanion(): string {
  try {
    return findCompanionUrl(process.env);
  } catch (error) {
    if (!(error instanceof SeveralStacksError)) throw error;
    throw new StageProblem(error.message, { cause: error });
  }
}

async function askLambda(stage: string): Promise<Readonly<Record<string, string>>> {
  const client = new LambdaClient({});
  try {
    const { Environment } = await client.send(
      new GetFunctionConfigurationCommand({ FunctionName: `ordersaga-${stage}-${FUNCTION}` }),
    );
    return Environment?.Variables ?? {};
  } catch (cause) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new StageProblem(
      `Stage ${stage} cannot be asked for its configuration (${why}).\n` +
        'Is it deployed in this region and account? The AWS SDK takes them from AWS_REGION and AWS_PROFILE ' +
        'or AWS_ACCESS_KEY_ID; they need lambda:GetFunctionConfiguration.',
      { cause },
    );
  } finally {
    client.destroy();
  }
}
