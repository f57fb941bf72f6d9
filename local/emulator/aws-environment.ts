import { devNull } from 'node:os';

/** Variables; one that is undefined is to be taken away. */
export type AwsEnvironment = Readonly<Record<string, string | undefined>>;

/** What satisfies the SDK and the serverless CLI. No emulator checks it. */
const DUMMY_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

/** Where they would look for the user's own credentials, were these not there. */
const NOWHERE = {
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
  AWS_EC2_METADATA_DISABLED: 'true',
};

/**
 * Points the AWS SDK and the serverless CLI at an emulator, by their own variables, and away from whatever
 * credentials the user has: keys, a session, a profile, a file, a role. Every other `AWS_` variable of the
 * user's goes: an endpoint of one service, a profile of one stage. Of those only the region is kept.
 */
export function awsEnvironment(endpoint: string, own: AwsEnvironment): AwsEnvironment {
  const region = own['AWS_REGION'] ?? 'eu-central-1';
  const taken = Object.keys(own).filter((name) => name.toUpperCase().startsWith('AWS_'));
  return {
    ...Object.fromEntries(taken.map((name) => [name, undefined])),
    ...NOWHERE,
    ...DUMMY_CREDENTIALS,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
  };
}
