import { devNull } from 'node:os';

/** Environment variables; an undefined one is to be removed. */
export type AwsEnvironment = Readonly<Record<string, string | undefined>>;

/** Credentials that satisfy the SDK and the serverless CLI. No emulator checks them. */
const DUMMY_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

/** Keeps the SDK and the CLI from the user's own credentials, wherever they would look for them. */
const NO_CREDENTIALS_FILES = {
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
  AWS_EC2_METADATA_DISABLED: 'true',
};

/**
 * Points the AWS SDK and the serverless CLI at an emulator by their own variables. It keeps them from the user's
 * credentials: keys, a session, a profile, a file, a role. It removes every other `AWS_` variable of the user's,
 * such as an endpoint of one service. Only the region stays.
 */
export function awsEnvironment(endpoint: string, own: AwsEnvironment): AwsEnvironment {
  const region = own['AWS_REGION'] ?? 'eu-central-1';
  const taken = Object.keys(own).filter((name) => name.toUpperCase().startsWith('AWS_'));
  return {
    ...Object.fromEntries(taken.map((name) => [name, undefined])),
    ...NO_CREDENTIALS_FILES,
    ...DUMMY_CREDENTIALS,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
  };
}
