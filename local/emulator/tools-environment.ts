import type { AwsEnvironment } from './aws-environment.ts';

/**
 * Environment that the companion gives to the operator's tools of a deployed stack: its functions' environment,
 * and the emulator's endpoint. It holds no secret: tools read secrets from Parameter Store, as functions do.
 * @param urls the functions' URLs, with this machine's host names.
 */
export function toolsEnvironment(
  deployed: Readonly<Record<string, string>>,
  aws: AwsEnvironment,
  urls: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const set = Object.entries(aws).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...deployed, ...Object.fromEntries(set), ...urls };
}
