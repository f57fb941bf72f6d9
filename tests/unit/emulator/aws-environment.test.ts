import { devNull } from 'node:os';
import { expect, test } from 'vitest';
import { type AwsEnvironment, awsEnvironment } from '../../../local/emulator/aws-environment.ts';
import { toolsEnvironment } from '../../../local/emulator/tools-environment.ts';
import { send, startTestCompanion } from '../companion/support.ts';

const ENDPOINT = 'http://127.0.0.1:4566';

/** Every way to give the SDK or the serverless CLI real credentials. */
const REAL = {
  AWS_ACCESS_KEY_ID: 'AKIAREALREALREALREAL',
  AWS_SECRET_ACCESS_KEY: 'real',
  AWS_SESSION_TOKEN: 'real',
  AWS_PROFILE: 'work',
  AWS_DEFAULT_PROFILE: 'work',
  AWS_LOCAL_PROFILE: 'work',
  AWS_LOCAL_ACCESS_KEY_ID: 'AKIAREALREALREALREAL',
  AWS_SHARED_CREDENTIALS_FILE: '/home/me/.aws/credentials',
  AWS_CONFIG_FILE: '/home/me/.aws/config',
  AWS_SDK_LOAD_CONFIG: '1',
  AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/token',
  AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/admin',
  AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:51679/real',
  AWS_CONTAINER_AUTHORIZATION_TOKEN: 'real',
  aws_secret_access_key: 'real',
};

/** Variables that the SDK would prefer to the emulator's endpoint. */
const ENDPOINTS = {
  AWS_ENDPOINT_URL: 'https://lambda.eu-central-1.amazonaws.com',
  AWS_ENDPOINT_URL_DYNAMODB: 'https://dynamodb.eu-central-1.amazonaws.com',
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
};

const DUMMIES = {
  AWS_ENDPOINT_URL: ENDPOINT,
  AWS_REGION: 'eu-central-1',
  AWS_DEFAULT_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
  AWS_EC2_METADATA_DISABLED: 'true',
};

test('the environment for an emulator holds dummies alone, whatever the user has', () => {
  const environment = awsEnvironment(ENDPOINT, { ...REAL, ...ENDPOINTS, HOME: '/home/me' });
  const set = Object.entries(environment).filter(([, value]) => value !== undefined);
  expect(Object.fromEntries(set)).toEqual(DUMMIES);
});

test('what the user has set otherwise is taken away, by name', () => {
  const own = { ...REAL, ...ENDPOINTS, HOME: '/home/me' };
  const merged: AwsEnvironment = { ...own, ...awsEnvironment(ENDPOINT, own) };
  const set = Object.entries(merged).filter(([, value]) => value !== undefined);
  expect(Object.fromEntries(set)).toEqual({ ...DUMMIES, HOME: '/home/me' });
});

test("only the user's region is kept", () => {
  const environment = awsEnvironment(ENDPOINT, { AWS_REGION: 'eu-west-1' });
  expect(environment).toMatchObject({ AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-1' });
});

test('the companion tells tools of the functions and of dummies, and of no secret', async () => {
  const functions = {
    ORDERS_TABLE: 'orders',
    GATEWAY_URL: 'http://host.docker.internal:3100/gateway',
    INVENTORY_CREDENTIAL_PARAMETER: '/ordersaga/local/inventory-credential',
  };
  const aws = awsEnvironment(ENDPOINT, { ...REAL, ...ENDPOINTS });
  const told = toolsEnvironment(functions, aws, { GATEWAY_URL: 'http://127.0.0.1:3100/gateway' });
  const companion = await startTestCompanion({ stackEnvironment: () => told });
  const { body } = await send(`${companion.url}/stack`);
  await companion.stop();
  expect(body).toEqual({
    environment: { ...functions, ...DUMMIES, GATEWAY_URL: 'http://127.0.0.1:3100/gateway' },
  });
  for (const value of ['AKIAREALREALREALREAL', '"real"', 'work', '/home/me', 'amazonaws.com']) {
    expect(JSON.stringify(body)).not.toContain(value);
  }
});
