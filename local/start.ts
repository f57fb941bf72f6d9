import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddedStack, startEmbeddedStack } from './stack/embedded-stack.ts';
import { describeStore } from './stack/store.ts';
import { readStartSettings } from './start-settings.ts';
import { printProgress, untilStopped } from './terminal.ts';
import { welcome } from './welcome.ts';

const directory = fileURLToPath(new URL('..', import.meta.url));
const logFile = join(directory, '.local', 'ordersaga.log');

async function start(): Promise<EmbeddedStack> {
  const startedAt = performance.now();
  console.log('Starting ordersaga on this machine.\n');
  const stack = await startEmbeddedStack({
    ...readStartSettings(process.env, process.argv.slice(2)),
    logFile,
    onProgress: printProgress,
  });
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
  return stack;
}

await untilStopped(start);
