import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { findEmulator } from '../../../local/emulator/find-emulator.ts';

let server: Server | undefined;
let asked: string[] = [];

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
  asked = [];
});

/** A server that answers with JSON by path, and 404 elsewhere. */
async function emulatorThatAnswers(answers: Readonly<Record<string, unknown>>): Promise<string> {
  server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const answer = answers[url];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

test('LocalStack in its container is known by its health; functions are in containers, too', async () => {
  const endpoint = await emulatorThatAnswers({ '/_localstack/health': { version: '4.14.0' } });
  expect(await findEmulator(`${endpoint}/`)).toMatchObject({
    kind: 'localstack',
    version: '4.14.0',
    endpoint,
    hostForFunctions: 'host.docker.internal',
  });
});

test('LocalStack without Docker says that its functions are on this machine', async () => {
  const health = { version: '4.14.0', functions: 'processes' };
  const endpoint = await emulatorThatAnswers({ '/_localstack/health': health });
  expect(await findEmulator(endpoint)).toMatchObject({
    kind: 'localstack',
    hostForFunctions: '127.0.0.1',
    companionAddress: '127.0.0.1',
  });
});

test('a patched MiniStack is known by its health; its functions are on this machine', async () => {
  const health = { version: '1.5.33', ready_scripts: {}, patches: ['errors-keep-their-name'] };
  const endpoint = await emulatorThatAnswers({ '/_localstack/health': health });
  expect(await findEmulator(endpoint)).toMatchObject({
    kind: 'ministack',
    hostForFunctions: '127.0.0.1',
    companionAddress: '127.0.0.1',
  });
});

test('nothing but the one path is asked, as LocalStack takes every other for a bucket', async () => {
  await findEmulator(await emulatorThatAnswers({ '/_localstack/health': { version: '4.14.0' } }));
  expect(asked).toEqual(['/_localstack/health']);
});

test('a MiniStack without the patches is refused, and what to start is named', async () => {
  const health = { version: '1.5.33', ready_scripts: {} };
  const endpoint = await emulatorThatAnswers({ '/_localstack/health': health });
  await expect(findEmulator(endpoint)).rejects.toThrow('npm run ministack');
});

test('whatever else answers is refused', async () => {
  await expect(findEmulator(await emulatorThatAnswers({}))).rejects.toThrow('is no emulator');
});

test('where nothing answers, the ways to start an emulator are named', async () => {
  await expect(findEmulator('http://127.0.0.1:1')).rejects.toThrow(
    /No emulator answers at http:\/\/127\.0\.0\.1:1\.(.|\n)*npm run ministack(.|\n)*npm run localstack(.|\n)*docker compose up localstack/,
  );
});

test.each([
  'https://dynamodb.eu-central-1.amazonaws.com',
  'https://s3.cn-north-1.amazonaws.com.cn',
  'https://lambda.eu-central-1.api.aws',
])('%s is AWS itself and never asked', async (endpoint) => {
  await expect(findEmulator(endpoint)).rejects.toThrow('that is AWS itself');
});

test.each(['', '127.0.0.1:4566', 'ftp://127.0.0.1'])('%j is no endpoint', async (endpoint) => {
  await expect(findEmulator(endpoint)).rejects.toThrow('is no http URL');
});
