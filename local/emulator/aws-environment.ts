/** Credentials that satisfy the SDK; no emulator checks them. */
const DUMMY = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

/** Where the CLI and the SDK find the emulator; undefined variables are to be taken away. */
export type AwsEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * Points the AWS SDK and the serverless CLI at an emulator, by their own standard variables. Dummy
 * credentials where none are set, so that no profile of the developer's is ever asked.
 */
export function awsEnvironment(
  endpoint: string,
  own: Readonly<Record<string, string | undefined>>,
): AwsEnvironment {
  const region = own['AWS_REGION'] ?? 'eu-central-1';
  const credentials = own['AWS_ACCESS_KEY_ID'] === undefined ? DUMMY : {};
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_PROFILE: undefined,
    AWS_ACCESS_KEY_ID: own['AWS_ACCESS_KEY_ID'],
    AWS_SECRET_ACCESS_KEY: own['AWS_SECRET_ACCESS_KEY'],
    ...credentials,
  };
}
