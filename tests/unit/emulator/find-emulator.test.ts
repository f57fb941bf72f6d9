import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { awsEnvironment } from '../../../local/emulator/aws-environment.ts';
import { findEmulator } from '../../../local/emulator/find-emulator.ts';

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
});

/** Answers JSON by path, and 404 elsewhere. */
async function emulatorThatAnswers(answers: Readonly<Record<string, unknown>>): Promise<string> {
  server = createServer(({ url = '' }, response) => {
    const answer = answers[url];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer ?? {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

test('LocalStack is known by its health; its functions are in containers', async () => {
  const endpoint = await emulatorThatAnswers({ '/_localstack/health': { version: '4.14.0' } });
  expect(await findEmulator(`${endpoint}/`)).toMatchObject({
    kind: 'localstack',
    version: '4.14.0',
    endpoint,
    hostForFunctions: 'host.docker.internal',
  });
});

test('a patched MiniStack is known by its health; its functions are on this machine', async () => {
  const health = { version: '1.5.33', patches: ['errors-keep-their-name'] };
  const endpoint = await emulatorThatAnswers({
    '/_ministack/health': health,
    '/_localstack/health': health,
  });
  expect(await findEmulator(endpoint)).toMatchObject({
    kind: 'ministack',
    hostForFunctions: '127.0.0.1',
    companionAddress: '127.0.0.1',
  });
});

test('a MiniStack without the patches is refused, and what to start is named', async () => {
  const endpoint = await emulatorThatAnswers({ '/_ministack/health': { version: '1.5.33' } });
  await expect(findEmulator(endpoint)).rejects.toThrow('npm run ministack');
});

test('whatever else answers is refused', async () => {
  await expect(findEmulator(await emulatorThatAnswers({}))).rejects.toThrow('is no emulator');
});

test('where nothing answers, the ways to start an emulator are named', async () => {
  await expect(findEmulator('http://127.0.0.1:1')).rejects.toThrow(
    /No emulator answers at http:\/\/127\.0\.0\.1:1\.(.|\n)*docker compose up(.|\n)*npm run ministack/,
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

test('dummy credentials stand in where none are set, and no profile is asked', () => {
  expect(awsEnvironment('http://127.0.0.1:4566', { AWS_PROFILE: 'work' })).toMatchObject({
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_PROFILE: undefined,
  });
  const own = { AWS_ACCESS_KEY_ID: '111111111111', AWS_SECRET_ACCESS_KEY: 'own' };
  expect(awsEnvironment('http://127.0.0.1:4566', own)).toMatchObject(own);
});
