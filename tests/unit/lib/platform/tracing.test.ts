import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ROOT = '1-5759e988-bd862e3fe1be46a994272793';
const SEGMENT = '53995c3f42cd8ad8';

/** What X-Ray's daemon is sent; only what is looked at. */
interface Subsegment {
  readonly id: string;
  readonly name: string;
  readonly namespace?: string;
  readonly trace_id?: string;
  readonly parent_id?: string;
  readonly http?: unknown;
  readonly aws?: { readonly operation?: string; readonly table_name?: string };
  readonly fault?: boolean;
  readonly subsegments?: readonly Subsegment[];
}

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

let daemon: Socket;
let server: Server;
let sent: Subsegment[];
let received: Received[];

beforeEach(async () => {
  sent = [];
  received = [];
  daemon = createSocket('udp4');
  daemon.on('message', (message) => {
    sent.push(JSON.parse(String(message).split('\n')[1] ?? '') as Subsegment);
  });
  daemon.bind(0, '127.0.0.1');
  await once(daemon, 'listening');
  // DynamoDB, which has no such item, and a service that is out.
  server = createServer((request, response) => {
    received.push({ path: request.url ?? '', headers: request.headers });
    request.resume();
    response.statusCode = request.url === '/' ? 200 : 503;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  daemon.close();
  server.close();
  await once(server, 'close');
});

/** Runs the function in a process of its own, because it is the process's environment that decides. */
async function run(environment: Readonly<Record<string, string>>): Promise<string> {
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, 'traced-function.ts'), url],
    {
      env: {
        PATH: process.env['PATH'],
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_DYNAMODB: url,
        AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${String(daemon.address().port)}`,
        ...environment,
      },
    },
  );
  expect(stderr).toBe('');
  return stdout;
}

const ON_LAMBDA = {
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  LAMBDA_TASK_ROOT: '/var/task',
  _HANDLER: 'functions/saga/reserve-stock.handler',
  _X_AMZN_TRACE_ID: `Root=${ROOT};Parent=${SEGMENT};Sampled=1`,
};

describe('a function on Lambda', () => {
  test('adds itself, its call of the database and its call of a service to the trace', async () => {
    expect(await run(ON_LAMBDA)).toBe('{"result":503}');
    const everything = sent.flatMap((one) => [one, ...(one.subsegments ?? [])]);
    const handler = everything.find(({ name }) => name.startsWith('## '));
    expect(handler).toMatchObject({
      name: '## functions/saga/reserve-stock.handler',
      trace_id: ROOT,
      parent_id: SEGMENT,
    });
    const calls = everything.filter((one) => one !== handler);
    expect(calls).toEqual([
      expect.objectContaining({
        name: 'DynamoDB',
        namespace: 'aws',
        aws: expect.objectContaining({ operation: 'GetItem', table_name: 'orders' }) as unknown,
      }),
      expect.objectContaining({
        name: '127.0.0.1',
        namespace: 'remote',
        fault: true,
        http: expect.objectContaining({
          request: {
            url: 'http://127.0.0.1/inventory/reservation/ord-1',
            method: 'PUT',
          },
          response: expect.objectContaining({ status: 503 }) as unknown,
        }) as unknown,
      }),
    ]);
    // Behind each call the trace goes on, below the subsegment of that call.
    expect(received.map(({ headers }) => headers['x-amzn-trace-id'])).toEqual(
      calls.map(({ id }) => `Root=${ROOT};Parent=${id};Sampled=1`),
    );
  });

  test('tells the next service that a trace is not sampled, and sends nothing itself', async () => {
    await run({
      ...ON_LAMBDA,
      _X_AMZN_TRACE_ID: `Root=${ROOT};Parent=${SEGMENT};Sampled=0`,
    });
    expect(sent).toEqual([]);
    for (const { headers } of received) {
      expect(headers['x-amzn-trace-id']).toMatch(new RegExp(`^Root=${ROOT};.*Sampled=0$`));
    }
  });
});

describe('a function anywhere else', () => {
  test('traces nothing, and nobody is warned', async () => {
    expect(await run({})).toBe('{"result":503}');
    expect(sent).toEqual([]);
    expect(received.map(({ headers }) => headers['x-amzn-trace-id'])).toEqual([
      undefined,
      undefined,
    ]);
  });
});
