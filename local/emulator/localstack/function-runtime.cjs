// Runtime of a Node function, in place of Lambda's. It reads events from one pipe, one per line, and writes answers
// to another. function_processes.py holds the other ends.
const { writeSync } = require('node:fs');
const { createRequire } = require('node:module');
const { Socket } = require('node:net');
const { join } = require('node:path');
const { createInterface } = require('node:readline');

const [events, answers] = process.argv.slice(2).map(Number);
const { LAMBDA_TASK_ROOT: root, _HANDLER: handlerName, ...environment } = process.env;

function answer(value) {
  const line = Buffer.from(`${JSON.stringify(value)}\n`);
  // A pipe may take only a part of a long line.
  for (let written = 0; written < line.length; ) written += writeSync(answers, line, written);
}

/** Describes an error as Lambda reports it. */
function reported(error) {
  return error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') }
    : { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function loadHandler() {
  const [, file, name] = /^(.+)\.([^.]+)$/.exec(handlerName);
  const handler = createRequire(join(root, 'index.js'))(join(root, file))[name];
  if (typeof handler !== 'function') throw new Error(`${handlerName} is not a function`);
  return handler;
}

function contextOf(event) {
  const endsAtMs = Date.now() + event.timeout * 1000;
  return {
    awsRequestId: event['invoke-id'],
    invokedFunctionArn: event['invoked-function-arn'],
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => endsAtMs - Date.now(),
  };
}

/** @returns the result as JSON. */
async function invoke(handler, event) {
  process.env._X_AMZN_TRACE_ID = event['trace-id'];
  const result = await handler(JSON.parse(event.payload), contextOf(event));
  return JSON.stringify(result === undefined ? null : result);
}

async function main() {
  let handler;
  try {
    handler = loadHandler();
  } catch (error) {
    console.error(error);
    answer(reported(error));
    process.exit(1);
  }
  answer({ ready: true });
  for await (const line of createInterface({ input: new Socket({ fd: events }) })) {
    try {
      answer({ result: await invoke(handler, JSON.parse(line)) });
    } catch (error) {
      console.error(error);
      answer({ error: reported(error) });
    }
  }
  process.exit(0);
}

main();
