import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddedStack, startEmbeddedStack } from './stack/embedded-stack.ts';
import { PortInUseError } from './stack/ports.ts';
import {
  announceStack,
  findRunningStackAt,
  StackRunsAlreadyError,
} from './stack/running-stacks.ts';
import { describeStore } from './stack/store.ts';
import { readStartSettings } from './start-settings.ts';
import { printProgress, untilStopped } from './terminal.ts';
import { welcome } from './welcome.ts';

const directory = fileURLToPath(new URL('..', import.meta.url));
const logFile = join(directory, '.local', 'ordersaga.log');

async function start(): Promise<EmbeddedStack> {
  const startedAt = performance.now();
  console.log('Starting ordersaga on this machine.\n');
  const settings = readStartSettings(process.env, process.argv.slice(2));
  const stack = await startEmbeddedStack({
    ...settings,
    logFile,
    onProgress: printProgress,
  }).catch(async (error: unknown) => {
    if (!(error instanceof PortInUseError)) throw error;
    const running = await findRunningStackAt(settings.ports.companion);
    throw running === undefined ? error : new StackRunsAlreadyError(running, { cause: error });
  });
  const takeBack = announceStack(stack);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`\nordersaga is ready after ${seconds} s.\n${describeStore(stack.store)}`);
  const { queues, stepFunctions, dynamodb } = stack.endpoints;
  console.log(
    await welcome(stack, {
      places: {
        SQS: queues,
        'Step Functions': stepFunctions,
        DynamoDB: dynamodb,
        Log: relative(process.cwd(), logFile),
      },
      ending: 'Ctrl-C stops everything.',
    }),
  );
  return {
    ...stack,
    stop: async () => {
      takeBack();
      await stack.stop();
    },
  };
}

await untilStopped(start);
